internal import Ledger
public import Reporting

/// How some manifests move, in bars and figures.
public struct LiveView: Sendable {
    /// What is remembered of one manifest between two looks.
    private struct Track: Sendable {
        var estimator = ProgressEstimator()
        var rows = Meter()
        var bytes = Meter()
        var announced: String?
    }

    /// A smoothed rate of something that grows.
    struct Meter: Sendable {
        private var last: (instant: Duration, value: Double)?
        private(set) var rate: Double?

        mutating func note(_ value: Double, at instant: Duration) {
            defer { last = (instant, value) }
            guard let last, instant > last.instant else { return }
            let elapsed = (instant - last.instant) / .seconds(1)
            let now = max(0, value - last.value) / elapsed
            // A look every quarter of a second weighs 5 %: what is shown is the pace of some five seconds.
            let weight = elapsed / (elapsed + 5)
            rate = rate.map { $0 + (now - $0) * weight } ?? now
        }
    }

    private let palette: Palette
    /// Whether block characters can be shown.
    private let hasBlocks: Bool
    private var tracks: [String: Track] = [:]
    /// The width of the widest figures so far in a terminal of so many columns: bars keep their length while figures change.
    private var widest = (columns: 0, figures: 0)

    /// How many manifests are drawn at most; the others are counted.
    static let mostManifests = 30
    /// In fewer columns a manifest takes two lines: its name, and how far it is.
    static let wide = 60

    public init(palette: Palette, hasBlocks: Bool) {
        self.palette = palette
        self.hasBlocks = hasBlocks
    }

    /// The picture: lines without line breaks, as many as fit, none wider than the terminal.
    ///
    /// - Parameters:
    ///   - reports: Those to show.
    ///   - width: Columns of the terminal.
    ///   - height: Lines of the terminal. One of them stays free for the cursor.
    ///   - notice: Why nothing may be moving, shown above all.
    ///   - hint: What can be done here, shown beneath all.
    ///   - instant: Time on a monotonic clock.
    /// - Returns: What to write, one string a line.
    public mutating func picture(
        _ reports: [StatusReport], width: Int, height: Int, notice: String? = nil, hint: String? = nil,
        at instant: Duration
    ) -> [String] {
        for report in reports { note(report, at: instant) }
        // Some terminals go on to the next line when the last column is written.
        let columns = max(1, width - 1)
        let room = height - 2 - (notice == nil ? 0 : 1)
        let isWide = width >= Self.wide || room < 3
        let each = isWide ? 1 : 2
        let most = max(1, min(Self.mostManifests, (reports.count * each <= room ? room : room - 1) / each))
        // What moves is worth more than what has ended.
        let sorted = reports.enumerated().sorted {
            ($0.element.state.isFinal ? 1 : 0, $0.offset) < ($1.element.state.isFinal ? 1 : 0, $1.offset)
        }.map(\.element)
        let shown = Array(sorted.prefix(most))
        var lines = notice.map { [palette.bad(VisibleText.fit(VisibleText.of($0), columns: columns))] } ?? []
        lines += isWide ? self.lines(shown, width: columns) : self.pairs(shown, width: columns)
        if reports.count > most {
            lines.append(VisibleText.fit("… and \(reports.count - most) more", columns: columns))
        }
        let ended = "\(reports.filter(\.state.isFinal).count) of \(reports.count) ended"
        lines.append(VisibleText.fit(ended + (hint.map { "; \($0)" } ?? ""), columns: columns))
        return lines
    }

    /// A line for each manifest that changed noticeably, for where nothing can be redrawn.
    public mutating func news(_ reports: [StatusReport], at instant: Duration) -> [String] {
        reports.compactMap { report in
            note(report, at: instant)
            let tenth = Int(report.progress * 10)
            let mark = "\(report.state.rawValue) \(report.state == .importing ? tenth : 0)"
            guard tracks[key(report)]?.announced != mark else { return nil }
            tracks[key(report)]?.announced = mark
            return "\(name(report)) \(report.state.rawValue) "
                + "\(StatusText.percent(report.progress)) \(VisibleText.of(report.stateReason))"
        }
    }

    private func key(_ report: StatusReport) -> String { report.id ?? "\(report.watch):\(report.manifest)" }

    private func name(_ report: StatusReport) -> String {
        "\(VisibleText.of(report.watch)):\(VisibleText.of(report.manifest))"
    }

    private mutating func note(_ report: StatusReport, at instant: Duration) {
        var track = tracks[key(report)] ?? Track()
        track.estimator.observe(ProgressWork(rows: report.rows, media: report.media), at: instant)
        track.rows.note(Double(report.rows.ended), at: instant)
        track.bytes.note(Double(report.media.uploadedBytes), at: instant)
        tracks[key(report)] = track
    }

    // MARK: Lines

    private static let narrowestBar = 10
    private static let widestBar = 24

    /// Names, bars and figures, each in a column of its own.
    private mutating func lines(_ reports: [StatusReport], width: Int) -> [String] {
        let names = reports.map(name)
        let longest = names.reduce(0) { max($0, VisibleText.width($1)) }
        // Half of the width is theirs, and what short names leave of the other half.
        let figuresAtMost = max(1, max(width / 2, width - longest - 1 - Self.narrowestBar))
        let figures = reports.map { self.figures($0, columns: figuresAtMost) }
        let figuresWidth = min(
            figuresAtMost,
            figures.reduce(widest.columns == width ? widest.figures : 0) { max($0, VisibleText.width($1)) })
        widest = (width, figuresWidth)
        let nameWidth = max(1, min(longest, width - figuresWidth - 1 - Self.narrowestBar))
        let bar = max(0, min(Self.widestBar, width - nameWidth - 1 - figuresWidth))
        return reports.indices.map { index in
            let name = VisibleText.fit(names[index], columns: nameWidth, keepsEnd: true)
            let space = String(repeating: " ", count: nameWidth - VisibleText.width(name) + 1)
            return name + space + self.bar(reports[index], width: bar)
                + VisibleText.fit(figures[index], columns: max(1, width - nameWidth - 1 - bar))
        }
    }

    /// Beneath each name its bar and figures.
    private func pairs(_ reports: [StatusReport], width: Int) -> [String] {
        let bar = max(0, min(Self.narrowestBar, width / 3))
        return reports.flatMap { report in
            [
                VisibleText.fit(name(report), columns: width, keepsEnd: true),
                self.bar(report, width: bar)
                    + VisibleText.fit(
                        figures(report, columns: max(1, width - bar)), columns: max(1, width - bar)),
            ]
        }
    }

    /// Something that is told of a manifest, and what it is worth where not all can be told.
    private struct Fact {
        var text: String
        var worth: Int
    }

    /// How far it is, in as many figures as there is room for.
    private func figures(_ report: StatusReport, columns: Int) -> String {
        let percent = StatusText.percent(report.progress)
        let head = String(repeating: " ", count: max(0, 6 - percent.count)) + percent
        var facts = facts(report)
        func text() -> String { facts.isEmpty ? head : "\(head) \(facts.map(\.text).joined(separator: ", "))" }
        while VisibleText.width(text()) > columns,
            let least = facts.indices.min(by: { facts[$0].worth < facts[$1].worth })
        {
            facts.remove(at: least)
        }
        return text()
    }

    private func facts(_ report: StatusReport) -> [Fact] {
        let track = tracks[key(report)]
        // A bar says by itself that something moves.
        var facts = [Fact(text: report.state.rawValue, worth: report.state == .importing ? 3 : 9)]
        if report.rows.total > 0 {
            facts.append(Fact(text: "\(report.rows.ended)/\(report.rows.total) rows", worth: 1))
        }
        if !report.state.isFinal {
            let rows = track?.rows.rate.flatMap { $0 >= 0.5 ? "\(Int($0.rounded())) rows/s" : nil }
            if let rate = track?.bytes.rate, rate >= 1 {
                facts.append(Fact(text: "\(ByteCount.text(Int64(rate)))/s", worth: rows == nil ? 5 : 2))
            }
            if let rows { facts.append(Fact(text: rows, worth: 5)) }
            if let eta = track?.estimator.eta(ProgressWork(rows: report.rows, media: report.media)) {
                facts.append(Fact(text: "\(AgeText.of(Double(eta))) left", worth: 7))
            }
        }
        let bad = report.rows.failed + report.rows.rejected
        if bad > 0 { facts.append(Fact(text: "\(bad) bad", worth: 8)) }
        return facts
    }

    private func bar(_ report: StatusReport, width: Int) -> String {
        guard width > 0 else { return "" }
        let filled = min(width, max(0, Int((report.progress * Double(width)).rounded(.down))))
        let (full, empty) = hasBlocks ? ("█", "░") : ("#", ".")
        let bar = String(repeating: full, count: filled) + String(repeating: empty, count: width - filled)
        return palette.state(bar, report.state)
    }
}
