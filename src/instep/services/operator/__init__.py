"""Operations of our own, for the people who run the installation; AWS's models do not know them."""
