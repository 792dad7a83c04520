/// One metric of the text exposition, with all its samples.
public struct MetricFamily: Sendable, Hashable {
    /// What Prometheus may do with the numbers.
    public enum Kind: String, Sendable {
        /// Grows, and begins at 0 with each start of the process.
        case counter
        /// Goes up and down.
        case gauge
        /// How often something took how long.
        case histogram
    }

    /// One number.
    public struct Sample: Sendable, Hashable {
        /// Appended to the family's name, such as `_bucket`; empty but for histograms.
        public var suffix: String
        public var labels: [Label]
        public var value: Double

        /// Creates a sample.
        public init(_ value: Double, _ labels: [Label] = [], suffix: String = "") {
            self.suffix = suffix
            self.labels = labels
            self.value = value
        }
    }

    /// What tells samples of one family apart.
    public struct Label: Sendable, Hashable {
        public var name: String
        /// From the configuration or from a closed set of words, never a file's name or a server's words.
        public var value: String

        /// Creates a label.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public var metric: Metric
    public var samples: [Sample]

    /// Puts samples under a metric.
    public init(_ metric: Metric, _ samples: [Sample]) {
        self.metric = metric
        self.samples = samples
    }

    /// A metric with a single sample.
    public init(_ metric: Metric, _ value: Double) { self.init(metric, [Sample(value)]) }
}
