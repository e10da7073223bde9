"""The ticket as a pass of Apple Wallet or Google Wallet, where the theatre has the keys."""
