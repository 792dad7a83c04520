internal import Foundation
public import SystemPackage
internal import Yams

extension Settings {
    /// The longest configuration file that is read, in bytes.
    public static let longestFile = 1 << 20

    /// Reads and checks a configuration file.
    ///
    /// - Throws: everything that is wrong with it, not only the first.
    public static func load(_ path: FilePath) throws(SettingsError) -> Settings {
        let name = path.string
        let bytes: [UInt8]
        do {
            bytes = try BoundedFile.read(path, limit: longestFile)
        } catch {
            throw SettingsError(whole: .unreadable, file: name, "cannot be read: \(error)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SettingsError(whole: .syntax, file: name, "is not UTF-8")
        }
        return try parse(text, file: name)
    }

    /// The state directory that a file names, also where the rest of the file is wrong; `nil` where it cannot be read.
    public static func stateDirectory(namedIn path: FilePath) -> FilePath? {
        guard let bytes = try? BoundedFile.read(path, limit: longestFile) else { return nil }
        let key = "state_directory:"
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) where line.hasPrefix(key)
        {
            let value = line.dropFirst(key.count).drop { $0 == " " }.prefix { $0 != " " && $0 != "#" }
            let name = value.filter { $0 != "\"" && $0 != "'" }
            if name.hasPrefix("/") { return FilePath(name) }
        }
        return SettingsValues([:], .top).path("state_directory")
    }

    /// Checks the text of a configuration file; touches no file.
    ///
    /// - Parameters:
    ///   - yaml: the text.
    ///   - file: the name that messages have.
    /// - Returns: the configuration with every default filled in.
    /// - Throws: everything that is wrong with it, not only the first.
    public static func parse(_ yaml: String, file: String) throws(SettingsError) -> Settings {
        let root = try compose(yaml, file: file)
        var reader = SettingsReader(file: file)
        let top = reader.read(root, as: .top, path: "")
        let labelbox = reader.section("labelbox", .labelbox, of: top)
        let http = reader.section("http", .http, of: top)
        let log = reader.section("log", .log, of: top)
        let defaults = reader.section("defaults", .defaults, of: top)
        let watches = reader.watches(of: top, defaults: defaults)
        let state = SettingsValues(top.values, .top).path("state_directory")
        reader.check(watches, against: state)
        guard reader.problems.isEmpty else { throw SettingsError(reader.problems) }
        return Settings(
            labelbox: LabelboxSettings(SettingsValues(labelbox.values, .labelbox)), stateDirectory: state,
            ledger: .sqlite, http: HTTPSettings(SettingsValues(http.values, .http)),
            log: LogSettings(SettingsValues(log.values, .log)),
            watches: watches.map { WatchSettings(SettingsValues($0.values, .watch)) })
    }

    private static func compose(_ yaml: String, file: String) throws(SettingsError) -> Node {
        func fail(_ code: SettingsProblem.Code, _ mark: Mark?, _ message: String) -> SettingsError {
            SettingsError([
                SettingsProblem(
                    code: code, file: file, line: mark?.line, column: mark?.column, keyPath: "", message: message)
            ])
        }
        do {
            // The encoding is given because the default consults the environment and prints.
            let parser = try Parser(yaml: yaml, encoding: .utf8)
            guard let root = try parser.singleRoot() else {
                throw fail(.missingKey, nil, "is empty; at least \"watches\" must be given")
            }
            return root
        } catch let error as SettingsError {
            throw error
        } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
            let names = keys.map(SettingsValue.quotedAlways).joined(separator: ", ")
            throw fail(.duplicate, context.mark, "\(names) stands more than once in the same mapping; keep one")
        } catch YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _)
        {
            throw fail(.syntax, mark, "is not valid YAML: \(context.map { "\($0.text), " } ?? "")\(problem)")
        } catch YamlError.reader(let problem, _, _, _) {
            throw fail(.syntax, nil, "is not valid YAML: \(problem)")
        } catch {
            // What is left cannot come from reading; its text may hold the file's.
            throw fail(.syntax, nil, "cannot be read as YAML")
        }
    }
}

extension SettingsError {
    init(_ problems: [SettingsProblem]) {
        // In the order of the file, whatever the order in which they were found.
        self.problems = problems.enumerated()
            .sorted { a, b in
                let (left, right) = (a.element, b.element)
                return (left.line ?? 0, left.column ?? 0, a.offset) < (right.line ?? 0, right.column ?? 0, b.offset)
            }
            .map(\.element)
    }

    init(whole code: SettingsProblem.Code, file: String, _ message: String) {
        problems = [SettingsProblem(code: code, file: file, line: nil, column: nil, keyPath: "", message: message)]
    }
}

extension SettingsReader {
    fileprivate mutating func section(_ name: String, _ section: SettingsSection, of top: Section) -> Section {
        guard let node = top.nested[name] else { return Section(mark: nil, path: name) }
        return read(node, as: section, path: name)
    }

    /// Reads the watches, each over the defaults.
    fileprivate mutating func watches(of top: Section, defaults: Section) -> [Section] {
        guard top.isMapping else { return [] }
        guard let node = top.nested["watches"] else {
            report(.missingKey, at: top.mark, "watches", "must be given: a list of the folders to watch")
            return []
        }
        guard case .sequence(let sequence) = node, !sequence.isEmpty else {
            report(
                .wrongType, at: node.mark, "watches",
                "must be a list with at least one watch, not \(Self.describe(node))")
            return []
        }
        let refusedDefaults = problems.filter { $0.keyPath.hasPrefix("defaults.") }.map {
            String($0.keyPath.dropFirst(9))
        }
        var watches: [Section] = []
        for (index, item) in sequence.enumerated() {
            let before = problems.count
            var watch = read(item, as: .watch, path: "watches[\(index)]")
            watch.values.merge(defaults.values) { own, _ in own }
            // What was given and refused has been told already.
            let refused = problems[before...].map { String($0.keyPath.dropFirst(watch.path.utf8.count + 1)) }
            let given = Set(watch.values.keys).union(refused).union(refusedDefaults)
            for key in SettingsKey.keys(of: .watch)
            where watch.isMapping && key.defaultText == nil && !given.contains(key.name) {
                let hint = key.name == "dataset" ? ", here or under \"defaults\"" : ""
                report(.missingKey, at: watch.mark, "\(watch.path).\(key.name)", "must be given\(hint): \(key.doc)")
            }
            watches.append(watch)
        }
        return watches
    }

    /// What is done unless a manifest says otherwise must be allowed; where nothing is to be created, manifests have to say.
    private mutating func checkOperation(of watch: Section) {
        guard let given = watch.values["operation"], case .text(let operation) = given.value else { return }
        let allowed = SettingsValues(watch.values, .watch).texts("operations")
        guard !allowed.contains(operation), operation != RowOperation.create.rawValue else { return }
        report(
            .conflict, at: given.mark, "\(watch.path).operation",
            "\(operation) is not among the watch's operations (\(allowed.joined(separator: ", "))); allow it there")
    }

    /// Checks what no single key can tell.
    fileprivate mutating func check(_ watches: [Section], against state: FilePath) {
        var names: [String: String] = [:]
        var paths: [(path: FilePath, section: String)] = []
        let state = state.lexicallyNormalized()
        for watch in watches {
            if case .text(let name)? = watch.values["name"]?.value {
                if let other = names[name] {
                    report(
                        .duplicate, at: watch.values["name"]?.mark, "\(watch.path).name",
                        "\(SettingsValue.quotedAlways(name)) is the name of \(other) too; names must be unique")
                }
                names[name] = names[name] ?? watch.path
            }
            checkOperation(of: watch)
            guard case .text(let text)? = watch.values["path"]?.value else { continue }
            let path = FilePath(text).lexicallyNormalized()
            let mark = watch.values["path"]?.mark
            if path.starts(with: state) || state.starts(with: path) {
                report(
                    .conflict, at: mark, "\(watch.path).path",
                    "\(path) and the state directory \(state) must not lie in one another")
            }
            for other in paths where path.starts(with: other.path) || other.path.starts(with: path) {
                report(
                    .conflict, at: mark, "\(watch.path).path",
                    path == other.path
                        ? "\(path) is watched by \(other.section) already"
                        : "\(path) overlaps with \(other.path) of \(other.section); one file must have one watch")
            }
            paths.append((path, watch.path))
        }
    }
}
