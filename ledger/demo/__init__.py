"""The bundled demo: seeded request records and the tour that is run over them."""
