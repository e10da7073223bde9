"""The mails about a booking: their texts, which are not needed any more, sending failed ones again."""
