"""The engine and other systems on the same job. `benches/peers/README.md` says what is compared."""
