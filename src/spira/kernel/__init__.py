"""Words everyone uses: clock, ids, durations, errors, diagnostics, registry, settings, languages, viewer."""
