"""QR codes, read from pictures."""

from __future__ import annotations

import warnings
from pathlib import Path

from instep.domain.totp import UnusableToken

# A photograph of a screen is well below these; a picture made to exhaust memory is not.
LARGEST_IMAGE_FILE = 16 * 1024 * 1024
LARGEST_IMAGE = 50_000_000


def read_qr(path: Path) -> str:
    """The otpauth address in a picture.

    Raises UnusableToken when there is none, or more than one; OSError when the file cannot be read.
    """
    # Imported here: no other command needs them, and they take longer to load than those take to run.
    import zxingcpp  # noqa: PLC0415
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415

    if path.stat().st_size > LARGEST_IMAGE_FILE:
        raise UnusableToken(f"{path} is larger than {LARGEST_IMAGE_FILE // 1024 // 1024} MiB.")
    grey = None
    try:
        with warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning):
            image = Image.open(path, formats=("PNG", "JPEG"))
        with image:
            # The header is read, the pixels are not yet.
            if image.width * image.height <= LARGEST_IMAGE:
                grey = image.convert("L")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        grey = None
    except (UnidentifiedImageError, SyntaxError, ValueError):
        raise UnusableToken(f"{path} is not a PNG or JPEG picture.") from None
    except OSError as trouble:
        if trouble.errno is not None:
            raise
        raise UnusableToken(f"The picture {path} is damaged.") from None
    if grey is None:
        raise UnusableToken(f"The picture {path} has more than {LARGEST_IMAGE // 1_000_000} million pixels.")
    texts = {found.text for found in zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))}
    addresses = {text for text in texts if text.lower().startswith("otpauth://")}
    if not texts:
        raise UnusableToken(f"There is no QR code to be found in {path}.")
    if not addresses:
        raise UnusableToken(f"The QR code in {path} does not hold an otpauth address.")
    if len(addresses) > 1:
        raise UnusableToken(f"There are several otpauth addresses in {path}: cut out the one you mean.")
    return addresses.pop()
