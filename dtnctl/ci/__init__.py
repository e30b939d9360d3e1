"""What CI jobs run: the steps as scripts (`dtnctl-ci`) and the files of `dtnctl init --ci`."""
