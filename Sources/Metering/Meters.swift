public import CoreMetrics
internal import Locking

/// What the code counts and times by swift-metrics, kept until somebody asks.
///
/// Only metrics of the catalogue are kept, with the labels that stand there: whatever else a library counts goes nowhere, so
/// that there are as many numbers as were thought of, and each has a meaning.
public final class Meters: MetricsFactory {
    /// Upper bounds of histograms in seconds: from a call on the same machine to an upload of an hour.
    static let bounds: [Double] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600]
    /// A label's values come from closed sets and the configuration; if that is ever not so, no more than this are kept.
    static let mostSeries = 512

    private struct State: Sendable {
        /// By the metric's name, then by its labels' values.
        var cells: [String: [[String]: Cell]] = [:]
    }

    private let catalogue: [String: Metric]
    private let order: [Metric]
    private let state = Locked(State())

    /// Creates empty meters for what is in the catalogue.
    public init(_ catalogue: [Metric] = CountedMetrics.all) {
        order = catalogue
        self.catalogue = Dictionary(catalogue.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        // A metric without labels is there from the start, at 0.
        for metric in catalogue where metric.labels.isEmpty { _ = cell(metric.name, [], metric.kind) }
    }

    /// What was counted so far, every metric of the catalogue in its order.
    public func families() -> [MetricFamily] {
        let cells = state.withLock { $0.cells }
        return order.map { metric in
            let series = (cells[metric.name] ?? [:]).sorted { $0.key.lexicographicallyPrecedes($1.key) }
            return MetricFamily(
                metric,
                series.flatMap { values, cell in
                    cell.samples(zip(metric.labels, values).map { MetricFamily.Label($0, $1) })
                })
        }
    }

    /// Grows whenever something was counted, so that it can be told that there is something new.
    public var changes: Int {
        state.withLock { $0.cells.values.reduce(0) { $1.values.reduce($0) { $0 + $1.changes } } }
    }

    private func cell(_ name: String, _ dimensions: [(String, String)], _ kind: MetricFamily.Kind) -> Cell? {
        guard let metric = catalogue[name], metric.kind == kind else { return nil }
        let values = metric.labels.map { label in dimensions.first { $0.0 == label }?.1 ?? "" }
        return state.withLock { state in
            if let cell = state.cells[name]?[values] { return cell }
            guard state.cells[name, default: [:]].count < Self.mostSeries else { return nil }
            let cell = Cell(bounds: kind == .histogram ? Self.bounds : [])
            state.cells[name, default: [:]][values] = cell
            return cell
        }
    }

    // MARK: swift-metrics

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        cell(label, dimensions, .counter) ?? NOOPMetricsHandler.instance
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        NOOPMetricsHandler.instance
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        cell(label, dimensions, .histogram) ?? NOOPMetricsHandler.instance
    }

    // What was counted stays counted.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}
}

/// The count of one metric with certain labels.
private final class Cell: CounterHandler, TimerHandler, Sendable {
    private struct State: Sendable {
        var count: Int64 = 0
        var sum = 0.0
        /// How many were at most each bound, and above the one before it.
        var buckets: [Int64]
        var changes = 0
    }

    private let bounds: [Double]
    private let state: Locked<State>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Locked(State(buckets: [Int64](repeating: 0, count: bounds.count)))
    }

    var changes: Int { state.withLock { $0.changes } }

    func increment(by amount: Int64) {
        state.withLock {
            $0.count += amount
            $0.changes += 1
        }
    }

    // Of the protocol; nobody calls it, since a counter only grows.
    func reset() { state.withLock { $0.count = 0 } }

    func recordNanoseconds(_ duration: Int64) {
        let seconds = Double(duration) / 1e9
        state.withLock { [bounds] state in
            state.count += 1
            state.sum += seconds
            state.changes += 1
            if let bucket = bounds.firstIndex(where: { seconds <= $0 }) { state.buckets[bucket] += 1 }
        }
    }

    func samples(_ labels: [MetricFamily.Label]) -> [MetricFamily.Sample] {
        let now = state.withLock { $0 }
        guard !bounds.isEmpty else { return [.init(Double(now.count), labels)] }
        var sum: Int64 = 0
        var samples: [MetricFamily.Sample] = []
        for (bound, count) in zip(bounds, now.buckets) {
            sum += count
            samples.append(
                .init(Double(sum), labels + [.init("le", PrometheusText.number(bound))], suffix: "_bucket"))
        }
        return samples + [
            .init(Double(now.count), labels + [.init("le", "+Inf")], suffix: "_bucket"),
            .init(now.sum, labels, suffix: "_sum"), .init(Double(now.count), labels, suffix: "_count"),
        ]
    }
}
