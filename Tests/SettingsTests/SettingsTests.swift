import DataRows
import Settings
import SystemPackage
import Testing

/// The least that a file must have, after whatever a test puts before it.
let oneWatch = """
    watches:
      - name: cats
        path: /drop/cats
        dataset: d1

    """

@Suite("Settings")
struct SettingsTests {
    @Test("a file with one watch gets every default")
    func defaults() throws {
        let settings = try Settings.parse(oneWatch, file: "f.yaml")
        var labelbox = LabelboxSettings()
        labelbox.endpoint = "https://api.labelbox.com/graphql"
        labelbox.apiKeyFile = nil
        labelbox.requestsPerMinute = 1_200
        labelbox.maxConnections = 8
        labelbox.bandwidth = .off
        labelbox.quietHours = .none
        labelbox.submitWith = .upsertDataRows
        labelbox.connectTimeout = .seconds(10)
        labelbox.stallTimeout = .seconds(60)
        labelbox.caFile = nil
        labelbox.proxy = nil
        #expect(settings.labelbox == labelbox)
        #expect(settings.stateDirectory == "/var/lib/datarowd")
        #expect(settings.ledger == .sqlite)
        #expect(settings.http.listen == nil)
        #expect(settings.log.level == .info)
        #expect(settings.log.format == .auto)
        #expect(settings.watches == [.example(name: "cats", path: "/drop/cats", dataset: "d1")])
        #expect(settings.warnings == [])
    }

    @Test("every key is read")
    func everyKey() throws {
        let settings = try Settings.parse(Self.unlikeDefaults, file: "f.yaml")
        var labelbox = LabelboxSettings()
        labelbox.endpoint = "http://127.0.0.1:8080/graphql"
        labelbox.apiKeyFile = "/etc/key"
        labelbox.requestsPerMinute = 100_000
        labelbox.maxConnections = 20
        labelbox.bandwidth = try #require(BandwidthTimetable("08:00,512k 19:00,off"))
        labelbox.quietHours = try #require(QuietHours(["Mon-Fri 08:00-18:00", "22:00-06:00"]))
        labelbox.submitWith = .createDataRow
        labelbox.connectTimeout = .milliseconds(1_500)
        labelbox.stallTimeout = .seconds(7_200)
        labelbox.caFile = "/etc/ca.pem"
        labelbox.proxy = "http://me:pw@proxy:3128"
        #expect(settings.labelbox == labelbox)
        #expect(settings.stateDirectory == "/srv/state")
        #expect(settings.http.listen?.description == "[::1]:9464")
        #expect(settings.log.level == .debug)
        #expect(settings.log.format == .json)
        var dogs = WatchSettings.example(name: "dogs", path: "/drop/dogs", dataset: "d2")
        dogs.recursive = false
        dogs.settle = .zero
        dogs.rescan = .seconds(300)
        dogs.poll = true
        dogs.ignore = ["a b", "#x"]
        dogs.manifests = ["*.rows"]
        dogs.maxManifestSize = 64 << 10
        dogs.looseMedia = .ignore
        dogs.mediaGrace = .zero
        dogs.mediaWait = .seconds(86_400)
        dogs.mediaRoots = ["/media/a", "/media/b"]
        dogs.afterImport = .keep
        dogs.onInvalidRow = .reject
        dogs.globalKey = .off
        dogs.operations = [.delete]
        dogs.operation = .delete
        dogs.unchangedRows = .send
        dogs.maxRowsPerTask = 150_000
        dogs.deletesPerRequest = 1
        dogs.mediaURLAge = .seconds(3_600)
        dogs.linger = .zero
        dogs.mediaType = .video
        #expect(settings.watches == [dogs])
        #expect(settings.warnings.count == 2)
    }

    @Test("defaults go into every watch, and a watch's own value wins")
    func merge() throws {
        let settings = try Settings.parse(
            """
            defaults: {dataset: shared, settle: 5s, operations: [delete], media_type: IMAGE}
            watches:
              - {name: a, path: /drop/a}
              - {name: b, path: /drop/b, dataset: own, settle: 1s, media_type: null}
            """, file: "f.yaml")
        #expect(settings.watches.map(\.dataset) == ["shared", "own"])
        #expect(settings.watches.map(\.settle) == [.seconds(5), .seconds(1)])
        #expect(settings.watches.map(\.operations) == [[.delete], [.delete]])
        #expect(settings.watches.map(\.mediaType) == [.image, nil])
    }

    @Test(
        "the effective configuration reads back as the same",
        arguments: [
            oneWatch, unlikeDefaults,
            "state_directory: \"/odd \\\"dir\\\"/with: # é 🦊 \\t\\u0085\\u2028 \\\\ 'end\"\n" + oneWatch,
            "defaults: {ignore: [\"off\", \"null\", \"~\", \"1\", \"- x\", \"&a\", \"*b\", \"%\", \"a\\nb\", \" \"]}\n"
                + oneWatch,
        ])
    func roundTrip(yaml: String) throws {
        let settings = try Settings.parse(yaml, file: "f.yaml")
        let text = settings.effectiveYAML(redacted: false)
        #expect(try Settings.parse(text, file: "effective.yaml") == settings, "\(text)")
        for section in [SettingsSection.labelbox, .http, .log, .watch] {
            for key in SettingsKey.keys(of: section) { #expect(text.contains("\(key.name): ")) }
        }
    }

    @Test("the effective configuration is shown without the proxy's password")
    func redacted() throws {
        let text = try Settings.parse(Self.unlikeDefaults, file: "f.yaml").effectiveYAML()
        #expect(!text.contains("pw"))
        #expect(text.contains("http://redacted@proxy:3128"))
    }

    @Test("YAML's anchors may be used")
    func anchors() throws {
        let settings = try Settings.parse(
            """
            defaults: {dataset: &set d9}
            watches:
              - {name: a, path: /drop/a, dataset: *set}
            """, file: "f.yaml")
        #expect(settings.watches[0].dataset == "d9")
    }

    @Test(
        "the key crosses the network in the clear only with a warning",
        arguments: [
            (endpoint: "https://x.example/graphql", warnings: 0), ("http://127.0.0.1:1/graphql", 0),
            ("http://localhost/graphql", 0), ("http://x.example/graphql", 1),
        ])
    func clearText(endpoint: String, warnings: Int) throws {
        let settings = try Settings.parse("labelbox: {endpoint: \"\(endpoint)\"}\n" + oneWatch, file: "f.yaml")
        #expect(settings.warnings.count == warnings)
    }

    @Test("a file is read from disk, and one that cannot be says why", .timeLimit(.minutes(1)))
    func load() throws {
        try TemporaryFolder.use { folder in
            let file = folder.appending("datarowd.yaml")
            try file.write(oneWatch)
            #expect(try Settings.load(file).watches.count == 1)
            try file.write([0xFF, 0xFE])
            #expect(message { try Settings.load(file) } == "\(file): is not UTF-8")
            try file.write([UInt8](repeating: 0x20, count: Settings.longestFile + 1))
            #expect(message { try Settings.load(file) } == "\(file): cannot be read: it has more than 1048576 bytes")
            let missing = folder.appending("none.yaml")
            #expect(message { try Settings.load(missing) } == "\(missing): cannot be read: No such file or directory")
            #expect(message { try Settings.load(folder) }?.contains("is not a regular file") == true)
        }
    }

    static let unlikeDefaults = """
        labelbox:
          endpoint: http://127.0.0.1:8080/graphql
          api_key_file: /etc/key
          requests_per_minute: 100000
          max_connections: 20
          bandwidth: 08:00,512k 19:00,off
          quiet_hours: [Mon-Fri 08:00-18:00, "22:00-06:00"]
          submit_with: createDataRow
          connect_timeout: 1500ms
          stall_timeout: 2h
          ca_file: /etc/ca.pem
          proxy: http://me:pw@proxy:3128
        state_directory: /srv/state/
        ledger: sqlite
        http: { listen: "[::1]:9464" }
        log: { level: debug, format: json }
        defaults: {}
        watches:
          - name: dogs
            path: /drop//dogs/
            dataset: d2
            recursive: false
            settle: 0
            rescan: 5m
            poll: true
            ignore: [a b, "#x"]
            manifests: ["*.rows"]
            max_manifest_size: 64KiB
            loose_media: ignore
            media_grace: 0s
            media_wait: 1d
            media_roots: [/media/a, /media/b]
            after_import: keep
            on_invalid_row: reject
            global_key: off
            operations: [delete]
            operation: delete
            unchanged_rows: send
            max_rows_per_task: 150000
            deletes_per_request: 1
            media_url_age: 1h
            linger: 0
            media_type: VIDEO
        """
}

extension WatchSettings {
    /// The defaults, spelled out so that a change of the table shows here.
    static func example(name: String, path: FilePath, dataset: String) -> WatchSettings {
        var watch = WatchSettings(name: name, path: path, dataset: dataset)
        watch.recursive = true
        watch.settle = .seconds(2)
        watch.rescan = .seconds(60)
        watch.poll = false
        watch.ignore = ["*.part", "*.tmp", "*~", ".*"]
        watch.manifests = ["*.json", "*.jsonl", "*.ndjson", "*.json.gz", "*.jsonl.gz", "*.ndjson.gz"]
        watch.maxManifestSize = 64 << 30
        watch.looseMedia = .import
        watch.mediaGrace = .seconds(30)
        watch.mediaWait = .seconds(600)
        watch.mediaRoots = []
        watch.mediaLimits = [.image: 256 << 20, .video: 1 << 30, .audio: 256 << 20, .text: 256 << 20]
        watch.contentTypes = [:]
        watch.afterImport = .archive
        watch.onInvalidRow = .skip
        watch.globalKey = .derive
        watch.operations = [.create, .upsert, .update]
        watch.operation = .create
        watch.unchangedRows = .skip
        watch.maxRowsPerTask = 20_000
        watch.deletesPerRequest = 4_000
        watch.mediaURLAge = .seconds(43_200)
        watch.linger = .milliseconds(500)
        watch.mediaType = nil
        return watch
    }
}

/// What the error of `body` says; `nil` when there is none.
func message(_ body: () throws -> some Any) -> String? {
    do {
        _ = try body()
        return nil
    } catch {
        return "\(error)"
    }
}
