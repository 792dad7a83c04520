"""Every test in a terminal."""

import stage
import view

stage.main("terminal", view)
