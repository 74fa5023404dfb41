"""What is learned: options in, frozen factors out."""
