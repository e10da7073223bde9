"""What a visitor changes on the page of their booking."""
