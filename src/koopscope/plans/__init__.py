"""What a configuration asks for beside studies, without numerical libraries: to plan with."""
