"""The path of a photo from untrusted bytes to 28x28 glyphs."""
