import CoreMetrics
import Metering
import Testing

@Suite("Metering")
struct MeteringTests {
    private let rows = Metric("test_rows_total", .counter, labels: ["watch"], "Rows")
    private let plain = Metric("test_plain_total", .counter, "Plain")
    private let time = Metric("test_time_seconds", .histogram, labels: ["operation"], "Time")

    private func text(_ families: [MetricFamily]) -> String {
        String(decoding: PrometheusText.bytes(families), as: UTF8.self)
    }

    @Test("what is counted under one name and one label is one number, whoever counts it")
    func counts() {
        let meters = Meters([rows, plain])
        for amount in [1, 2, 39] {
            Counter(label: "test_rows_total", dimensions: [("watch", "cats")], factory: meters).increment(by: amount)
        }
        Counter(label: "test_rows_total", dimensions: [("watch", "dogs")], factory: meters).increment()
        #expect(
            text(meters.families()) == """
                # HELP test_rows_total Rows
                # TYPE test_rows_total counter
                test_rows_total{watch="cats"} 42
                test_rows_total{watch="dogs"} 1
                # HELP test_plain_total Plain
                # TYPE test_plain_total counter
                test_plain_total 0

                """)
    }

    @Test("a time is in each bucket that it fits into, and its sum is in seconds")
    func histograms() throws {
        let meters = Meters([time])
        let timer = Timer(label: "test_time_seconds", dimensions: [("operation", "read")], factory: meters)
        for seconds in [0.001, 0.3, 0.3, 7200] { timer.recordNanoseconds(Int64(seconds * 1e9)) }
        let samples = try #require(meters.families().first).samples
        func count(_ bound: String) -> Double? {
            samples.first { $0.labels.contains(.init("le", bound)) }?.value
        }
        #expect(["0.005", "0.25", "0.5", "3600", "+Inf"].map(count) == [1, 1, 3, 3, 4])
        #expect(samples.first { $0.suffix == "_sum" }?.value == 7200.601)
        #expect(samples.first { $0.suffix == "_count" }?.value == 4)
        let buckets = samples.filter { $0.suffix == "_bucket" }.map(\.value)
        #expect(buckets == buckets.sorted())
    }

    @Test("what is not in the catalogue, and more series than there can be, are not kept")
    func bounded() throws {
        let meters = Meters([rows])
        Counter(label: "anything_else", factory: meters).increment()
        Counter(label: "test_rows_total", dimensions: [("watch", "cats"), ("path", "/a")], factory: meters).increment()
        for number in 0..<5_000 {
            Counter(label: "test_rows_total", dimensions: [("watch", "\(number)")], factory: meters).increment()
        }
        let samples = meters.families().flatMap(\.samples)
        #expect(samples.count == 512)
        #expect(samples.allSatisfy { $0.labels.map(\.name) == ["watch"] })
    }

    @Test("that something was counted can be seen without looking at everything")
    func changes() {
        let meters = Meters([plain])
        let before = meters.changes
        Counter(label: "test_plain_total", factory: meters).increment()
        #expect(meters.changes > before)
    }

    @Test("a label's value stays one value, and a number is written as Prometheus reads it")
    func writing() {
        let metric = Metric("test_odd", .gauge, labels: ["name"], #"A \ and a line"# + "\nbreak")
        let values: [Double] = [0, -3, 0.25, 1e21, .infinity, -.infinity, .nan]
        let odd = [MetricFamily.Label("name", "a\"b\\c\nd}")]
        #expect(
            text([MetricFamily(metric, values.map { .init($0, odd) })]).split(separator: "\n").map(String.init) == [
                #"# HELP test_odd A \\ and a line\nbreak"#, "# TYPE test_odd gauge",
            ]
                + ["0", "-3", "0.25", "1e+21", "+Inf", "-Inf", "NaN"].map {
                    #"test_odd{name="a\"b\\c\nd}"} "# + $0
                })
    }

    @Test("names are by Prometheus' conventions", arguments: CountedMetrics.all)
    func conventions(metric: Metric) {
        #expect(metric.name.wholeMatch(of: /datarowd(_[a-z]+)+/) != nil)
        #expect(metric.name.hasSuffix("_total") == (metric.kind == .counter))
        #expect(!metric.help.hasSuffix("."))
    }
}
