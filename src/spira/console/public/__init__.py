"""What consumers reach: links in messages, unsubscribing, receipts of providers."""
