internal import DataRows
public import Foundation
public import Ledger
public import Reporting
public import SystemPackage

/// A manifest as an operator names it: `watch:path`, an import's id, a path as dropped, or a path in the file system.
public struct ManifestName: Sendable, Hashable {
    public var text: String

    public init(_ text: String) { self.text = text }

    /// What a name stands for.
    public enum Found: Sendable {
        case claimed(ImportRecord)
        case settling(StatusReport)
    }

    /// The places where a manifest of this name may have been dropped.
    ///
    /// - Parameters:
    ///   - watches: Names and folders.
    ///   - directory: The current one.
    /// - Returns: Pairs of a watch, `nil` for any, and the path beneath its folder; the likeliest first.
    package func places(
        in watches: [(name: String, path: FilePath)], directory: FilePath
    ) -> [(watch: String?, path: FilePath)] {
        var places: [(watch: String?, path: FilePath)] = []
        if let colon = text.firstIndex(of: ":"), case let name = String(text[..<colon]),
            watches.contains(where: { $0.name == name })
        {
            places.append((name, FilePath(String(text[text.index(after: colon)...]))))
        }
        let path = FilePath(text)
        let absolute = (path.isAbsolute ? path : directory.pushing(path)).lexicallyNormalized()
        for watch in watches {
            var beneath = absolute
            let folder = watch.path.lexicallyNormalized()
            if beneath.removePrefix(folder), !beneath.isEmpty { places.append((watch.name, beneath)) }
        }
        if path.isRelative { places.append((nil, path.lexicallyNormalized())) }
        return places
    }

    /// Finds the newest import of that name, or the file that is not claimed yet.
    public func find(in state: StateFolder, directory: FilePath, now: Date) async throws -> Found {
        if let record = try await state.ledger.find(ImportID(rawValue: text)) { return .claimed(record) }
        let watches = (state.daemon?.watches ?? []).map { (name: $0.name, path: FilePath($0.path)) }
        let settling = state.settling(now: now)
        for place in places(in: watches, directory: directory) {
            // A file that settles is newer than any import of the same path.
            let waiting = settling.filter {
                $0.manifest == place.path.string && (place.watch == nil || place.watch == $0.watch)
            }
            let imports = try await state.ledger.find(watch: place.watch, path: place.path)
            let names = Set(waiting.map(\.watch) + imports.map(\.watch))
            guard names.count < 2 else {
                throw ControlError(
                    VisibleText.of(text),
                    why: "it was dropped in several watches: \(names.sorted().joined(separator: ", "))",
                    hint: "name one of them, as in \(names.min() ?? ""):\(VisibleText.of(place.path.string))",
                    status: .usage)
            }
            if let report = waiting.first { return .settling(report) }
            if let record = imports.first { return .claimed(record) }
        }
        throw ControlError(
            VisibleText.of(text), why: "no manifest of this name was taken",
            hint: "see 'datarowctl ls', or 'datarowctl explain FILE' for why a file is not taken", status: .noInput)
    }

    /// Describes what the name stands for.
    public func report(in state: StateFolder, directory: FilePath, now: Date) async throws -> StatusReport {
        switch try await find(in: state, directory: directory, now: now) {
        case .claimed(let record): try await state.report(record, now: now)
        case .settling(let report): report
        }
    }
}
