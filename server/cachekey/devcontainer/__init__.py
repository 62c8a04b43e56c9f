"""What a devcontainer.json means."""
