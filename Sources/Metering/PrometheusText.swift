/// Writes metrics as Prometheus reads them: the text exposition format, version 0.0.4.
///
/// See <https://prometheus.io/docs/instrumenting/exposition_formats/>.
public enum PrometheusText {
    /// Of an answer over HTTP.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// The text of all families, in their order; one without samples is still named, so that it can be found.
    public static func bytes(_ families: [MetricFamily]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(16 << 10)
        for family in families { append(family, to: &text) }
        return text
    }

    private static func append(_ family: MetricFamily, to text: inout [UInt8]) {
        let name = family.metric.name
        text += "# HELP \(name) ".utf8
        escape(family.metric.help, quotes: false, to: &text)
        text += "\n# TYPE \(name) \(family.metric.kind.rawValue)\n".utf8
        for sample in family.samples {
            text += name.utf8
            text += sample.suffix.utf8
            if !sample.labels.isEmpty {
                text.append(UInt8(ascii: "{"))
                for (index, label) in sample.labels.enumerated() {
                    if index > 0 { text.append(UInt8(ascii: ",")) }
                    text += "\(label.name)=\"".utf8
                    escape(label.value, quotes: true, to: &text)
                    text.append(UInt8(ascii: "\""))
                }
                text.append(UInt8(ascii: "}"))
            }
            text += " \(number(sample.value))\n".utf8
        }
    }

    private static func escape(_ words: String, quotes: Bool, to text: inout [UInt8]) {
        for byte in words.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): text += #"\\"#.utf8
            case UInt8(ascii: "\n"): text += #"\n"#.utf8
            case UInt8(ascii: "\"") where quotes: text += #"\""#.utf8
            default: text.append(byte)
            }
        }
    }

    /// A number as Go's `ParseFloat` reads it.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return value == value.rounded() && value.magnitude < 1e15 ? String(Int64(value)) : String(value)
    }
}
