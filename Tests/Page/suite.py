"""Every test of the page, the metrics and the port."""

import metrics
import page
import port
import stage

stage.main("page", port, metrics, page)
