"""One module per subcommand of `avm`: run(arguments) returns what is printed."""
