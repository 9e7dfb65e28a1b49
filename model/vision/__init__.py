"""The path of a photo from untrusted bytes to 28x28 glyphs.

`finding.read_page` is the whole path, `decode.decode` and `finding.find_page` are its halves. `page` holds
what comes out and needs neither Pillow nor OpenCV.
"""
