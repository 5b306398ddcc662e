"""What a segmentation network does inside: signals, impulse and frequency responses, tuning."""
