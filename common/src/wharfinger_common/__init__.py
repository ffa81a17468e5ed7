"""What every part of Wharfinger shares: digests, image names, refusals and their catalogue."""
