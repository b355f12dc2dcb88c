"""The stores, with no domain words: log, warehouse, state, tables, migrations, vault, backup."""
