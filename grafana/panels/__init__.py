"""One module per type of panel; a panel gets its position from the layout."""
