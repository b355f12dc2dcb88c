"""Alerts: whoever runs the workspace is told when something needs a person, once when it begins and once when it ends.

`finding` says what is wrong now, `kept` remembers what was wrong and who was told, `letters` puts it
into words, `sending` hands them over, and `stage` is the last stage of a tick.
"""
