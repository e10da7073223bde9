"""What tests are run with: real servers, real processes."""
