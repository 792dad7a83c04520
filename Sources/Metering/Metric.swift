/// What is measured: a name by Prometheus' conventions, and what it means.
///
/// Units are in the name: seconds, bytes, `_total` for what only grows.
public struct Metric: Sendable, Hashable {
    public let name: String
    public let kind: MetricFamily.Kind
    /// One sentence without its full stop.
    public let help: String
    /// The names of its labels, in their order.
    public let labels: [String]

    /// Describes a metric.
    public init(_ name: String, _ kind: MetricFamily.Kind, labels: [String] = [], _ help: String) {
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
    }
}
