"""Who is who: identifiers, identity, profiles, consent, people as a viewer may see them, erase."""
