"""From raw counts to reflectance, for the cubes of a study."""
