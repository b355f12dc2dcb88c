"""Words everyone uses: clock, ids, money, errors, diagnostics, registry, settings, languages, viewer."""
