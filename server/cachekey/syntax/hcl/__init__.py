"""HCL as far as Bake files use it: blocks, attributes, expressions, each with its span."""
