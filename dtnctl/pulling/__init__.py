"""The pull loop, `dtnctl reconcile`: follows a branch of a repository and makes the endpoints as its newest good commit says."""
