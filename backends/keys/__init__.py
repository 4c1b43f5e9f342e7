"""Keys of providers: found in the environment, the system's keyring, an encrypted file, or this run's memory."""
