"""What a run writes while it learns: tables, event files, pages, findings."""
