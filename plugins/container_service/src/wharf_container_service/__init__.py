"""The ``ks`` commands: the clusters that pull images, as the user's own tools see them."""
