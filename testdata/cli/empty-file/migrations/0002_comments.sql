-- nothing yet

/* really */
