"""The connectors that come with Spira; each registers itself when it is imported."""

import spira.collect.connectors.csv_file
import spira.collect.connectors.excel
import spira.collect.connectors.folder
import spira.collect.connectors.json_lines
import spira.collect.connectors.objects
import spira.collect.connectors.parquet
import spira.collect.connectors.sql  # noqa: F401
