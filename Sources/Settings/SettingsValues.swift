internal import DataRows
internal import SystemPackage
internal import Yams

/// The values of one mapping with the defaults of the table behind them.
///
/// The table says what each key holds, and the reader has checked it; a mismatch here is a bug of ours.
struct SettingsValues {
    private let given: [String: SettingsReader.Located]
    private let section: SettingsSection

    init(_ given: [String: SettingsReader.Located], _ section: SettingsSection) {
        self.given = given
        self.section = section
    }

    func value(_ name: String) -> SettingsValue {
        if let value = given[name]?.value { return value }
        guard let value = Self.defaults[section]?[name] else {
            preconditionFailure("\(section.rawValue).\(name) has neither a value nor a default")
        }
        return value
    }

    func optionalText(_ name: String) -> String? {
        switch value(name) {
        case .null: nil
        case .text(let text): text
        case let other: preconditionFailure("\(name) is \(other)")
        }
    }

    func text(_ name: String) -> String {
        guard let text = optionalText(name) else { preconditionFailure("\(name) is null") }
        return text
    }

    func optionalPath(_ name: String) -> FilePath? { optionalText(name).map { FilePath($0).lexicallyNormalized() } }

    func path(_ name: String) -> FilePath { FilePath(text(name)).lexicallyNormalized() }

    func boolean(_ name: String) -> Bool {
        guard case .boolean(let flag) = value(name) else { preconditionFailure("\(name) is no boolean") }
        return flag
    }

    func integer(_ name: String) -> Int64 {
        guard case .integer(let number) = value(name) else { preconditionFailure("\(name) is no number") }
        return number
    }

    /// Nil for a word.
    func optionalInteger(_ name: String) -> Int? {
        guard case .integer(let number) = value(name) else { return nil }
        return Int(number)
    }

    func duration(_ name: String) -> Duration {
        guard case .duration(let duration) = value(name) else { preconditionFailure("\(name) is no duration") }
        return duration
    }

    func texts(_ name: String) -> [String] {
        guard case .texts(let texts) = value(name) else { preconditionFailure("\(name) is no list") }
        return texts
    }

    /// The members that were given, and the defaults of the others.
    func mapping(_ name: String) -> [String: String] {
        guard case .mapping(let given) = value(name), case .mapping(let defaults)? = Self.defaults[section]?[name]
        else {
            preconditionFailure("\(name) is no mapping")
        }
        return defaults.merging(given) { $1 }
    }

    func choice<Choice: RawRepresentable>(_ name: String) -> Choice where Choice.RawValue == String {
        guard let choice = Choice(rawValue: text(name)) else { preconditionFailure("\(name) is no \(Choice.self)") }
        return choice
    }

    /// The defaults of the table, read once by the very code that reads a file.
    private static let defaults: [SettingsSection: [String: SettingsValue]] = {
        var all: [SettingsSection: [String: SettingsValue]] = [:]
        for key in SettingsKey.all {
            switch key.kind {
            case .section, .sections: continue
            default: break
            }
            guard let text = key.defaultText else { continue }
            var reader = SettingsReader(file: "defaults")
            guard let node = try? Yams.compose(yaml: text), let value = reader.value(of: node, for: key, path: key.name)
            else { preconditionFailure("the default of \(key.name) is not valid: \(reader.problems)") }
            all[key.section, default: [:]][key.name] = value
        }
        return all
    }()
}

extension LabelboxSettings {
    init(_ values: SettingsValues) {
        endpoint = values.text("endpoint")
        apiKeyFile = values.optionalPath("api_key_file")
        requestsPerMinute = Int(values.integer("requests_per_minute"))
        maxConnections = Int(values.integer("max_connections"))
        filesPerRequest = values.optionalInteger("files_per_request")
        // The reader has checked both.
        bandwidth = BandwidthTimetable(values.text("bandwidth")) ?? .off
        quietHours = QuietHours(values.texts("quiet_hours")) ?? .none
        submitWith = values.choice("submit_with")
        connectTimeout = values.duration("connect_timeout")
        stallTimeout = values.duration("stall_timeout")
        caFile = values.optionalPath("ca_file")
        proxy = values.optionalText("proxy")
    }

    var values: [String: SettingsValue] {
        [
            "endpoint": .text(endpoint), "api_key_file": .path(apiKeyFile),
            "requests_per_minute": .integer(Int64(requestsPerMinute)),
            "max_connections": .integer(Int64(maxConnections)),
            "files_per_request": filesPerRequest.map { .integer(Int64($0)) } ?? .text("auto"),
            "bandwidth": .text(bandwidth.text), "quiet_hours": .texts(quietHours.texts),
            "submit_with": .text(submitWith.rawValue),
            "connect_timeout": .duration(connectTimeout), "stall_timeout": .duration(stallTimeout),
            "ca_file": .path(caFile), "proxy": proxy.map(SettingsValue.text) ?? .null,
        ]
    }
}

extension HTTPSettings {
    init(_ values: SettingsValues) {
        listen = values.optionalText("listen").flatMap(ListenAddress.init)
    }

    var values: [String: SettingsValue] { ["listen": listen.map { .text($0.description) } ?? .null] }
}

extension LogSettings {
    init(_ values: SettingsValues) {
        level = values.choice("level")
        format = values.choice("format")
    }

    var values: [String: SettingsValue] { ["level": .text(level.rawValue), "format": .text(format.rawValue)] }
}

extension WatchSettings {
    init(_ values: SettingsValues) {
        name = values.text("name")
        path = values.path("path")
        dataset = values.text("dataset")
        recursive = values.boolean("recursive")
        settle = values.duration("settle")
        rescan = values.duration("rescan")
        poll = values.boolean("poll")
        ignore = values.texts("ignore")
        manifests = values.texts("manifests")
        maxManifestSize = values.integer("max_manifest_size")
        looseMedia = values.choice("loose_media")
        mediaGrace = values.duration("media_grace")
        mediaWait = values.duration("media_wait")
        mediaRoots = values.texts("media_roots").map { FilePath($0).lexicallyNormalized() }
        mediaLimits = values.mapping("media_limits").reduce(into: [:]) { limits, member in
            if let category = MediaCategory(rawValue: member.key) { limits[category] = SizeText.parse(member.value) }
        }
        contentTypes = values.mapping("content_types")
        afterImport = values.choice("after_import")
        onInvalidRow = values.choice("on_invalid_row")
        globalKey = values.choice("global_key")
        operations = Set(values.texts("operations").compactMap(RowOperation.init))
        operation = values.choice("operation")
        unchangedRows = values.choice("unchanged_rows")
        maxRowsPerTask = Int(values.integer("max_rows_per_task"))
        deletesPerRequest = Int(values.integer("deletes_per_request"))
        mediaURLAge = values.duration("media_url_age")
        linger = values.duration("linger")
        mediaType = values.optionalText("media_type").flatMap(MediaType.init)
    }

    var values: [String: SettingsValue] {
        [
            "name": .text(name), "path": .path(path), "dataset": .text(dataset), "recursive": .boolean(recursive),
            "settle": .duration(settle), "rescan": .duration(rescan), "poll": .boolean(poll), "ignore": .texts(ignore),
            "manifests": .texts(manifests), "max_manifest_size": .integer(maxManifestSize),
            "loose_media": .text(looseMedia.rawValue), "media_grace": .duration(mediaGrace),
            "media_wait": .duration(mediaWait), "media_roots": .texts(mediaRoots.map(\.string)),
            "media_limits": .mapping(
                MediaCategory.allCases.reduce(into: [:]) { texts, category in
                    texts[category.rawValue] = mediaLimits[category].map(SizeText.format) ?? "null"
                }), "content_types": .mapping(contentTypes),
            "after_import": .text(afterImport.rawValue), "on_invalid_row": .text(onInvalidRow.rawValue),
            "global_key": .text(globalKey.rawValue),
            "operations": .texts(RowOperation.allCases.filter(operations.contains).map(\.rawValue)),
            "operation": .text(operation.rawValue), "unchanged_rows": .text(unchangedRows.rawValue),
            "max_rows_per_task": .integer(Int64(maxRowsPerTask)),
            "deletes_per_request": .integer(Int64(deletesPerRequest)), "media_url_age": .duration(mediaURLAge),
            "linger": .duration(linger), "media_type": mediaType.map { .text($0.rawValue) } ?? .null,
        ]
    }
}

extension SettingsValue {
    fileprivate static func path(_ path: FilePath?) -> SettingsValue { path.map { .text($0.string) } ?? .null }
}
