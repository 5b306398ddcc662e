"""TorchScript and `torch.export` files of strangers: checked, and made anew."""
