internal import CoreMetrics

/// The meters of this process, to which all that is counted by swift-metrics goes.
public enum CountedMeters {
    /// Made, and made swift-metrics' own, when first used; whoever counts must come later.
    public static let installed: Meters = {
        let meters = Meters()
        MetricsSystem.bootstrap(meters)
        return meters
    }()
}
