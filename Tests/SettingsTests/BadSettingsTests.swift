import Settings
import Testing

@Suite("Bad settings")
struct BadSettingsTests {
    /// A key under `labelbox`, in line 2.
    private static let labelbox: [(line: String, message: String)] = [
        ("max_connection: 8", "2:3: labelbox.max_connection: unknown key; did you mean \"max_connections\"?"),
        ("maxConnections: 8", "2:3: labelbox.maxConnections: unknown key; did you mean \"max_connections\"?"),
        ("settle: 2s", "2:3: labelbox.settle: unknown key here; it belongs in a watch or under \"defaults\""),
        (
            "zzz: 1",
            "2:3: labelbox.zzz: unknown key; known here are endpoint, api_key_file, requests_per_minute, max_connections, "
                + "files_per_request, bandwidth, quiet_hours, submit_with, connect_timeout, stall_timeout, ca_file, proxy"
        ),
        (
            "bandwidth: fast",
            "2:14: labelbox.bandwidth: must be a limit such as 10M (1K or more a second), off, or times with limits such as "
                + "\"08:00,512k 19:00,10M 23:00,off\", not \"fast\""
        ),
        (
            "quiet_hours: [8-18]",
            "2:17: labelbox.quiet_hours[0]: must be times of the week, such as \"Mon-Fri 08:00-18:00\" or \"22:00-06:00\", "
                + "not \"8-18\""
        ),
        ("max_connections: 21", "2:20: labelbox.max_connections: must be a whole number from 1 to 20, not 21"),
        (
            "files_per_request: 0",
            "2:22: labelbox.files_per_request: must be auto or a whole number from 1 to 100, not 0"
        ),
        (
            "files_per_request: \"auto\"",
            "2:22: labelbox.files_per_request: must be auto or a whole number from 1 to 100, not \"auto\""
        ),
        ("max_connections: 0", "2:20: labelbox.max_connections: must be a whole number from 1 to 20, not 0"),
        ("max_connections: \"8\"", "2:20: labelbox.max_connections: must be a whole number from 1 to 20, not \"8\""),
        (
            "max_connections: eight",
            "2:20: labelbox.max_connections: must be a whole number from 1 to 20, not \"eight\""
        ),
        ("max_connections: 1e3", "2:20: labelbox.max_connections: must be a whole number from 1 to 20, not \"1e3\""),
        ("max_connections:", "2:19: labelbox.max_connections: must be a whole number from 1 to 20; nothing was given"),
        ("max_connections: [8]", "2:20: labelbox.max_connections: must be a whole number from 1 to 20, not a list"),
        (
            "requests_per_minute: 99999999999999999999",
            "2:24: labelbox.requests_per_minute: must be a whole number from 1 to 100000, not \"99999999999999999999\""
        ),
        ("connect_timeout: 10", "2:20: labelbox.connect_timeout: 10 needs a unit: 10ms, 10s, 10m, 10h or 10d"),
        (
            "connect_timeout: 1.5s",
            "2:20: labelbox.connect_timeout: must be a whole number with a unit (ms, s, m, h, d), such as 10s, not \"1.5s\""
        ),
        ("connect_timeout: 1d", "2:20: labelbox.connect_timeout: must be a time from 100ms to 10m, not \"1d\""),
        (
            "connect_timeout: 9223372036854775807d",
            "2:20: labelbox.connect_timeout: must be a whole number with a unit (ms, s, m, h, d), such as 10s, not "
                + "\"9223372036854775807d\""
        ),
        (
            "submit_with: upsertDataRow",
            "2:16: labelbox.submit_with: must be one of upsertDataRows, appendRowsToDataset, createDataRow, not "
                + "\"upsertDataRow\"; did you mean \"upsertDataRows\"?"
        ),
        ("endpoint: api.labelbox.com", "2:13: labelbox.endpoint: must be a URL such as https://host (https, http)"),
        ("endpoint: https:///graphql", "2:13: labelbox.endpoint: must be a URL such as https://host; it has no host"),
        (
            "endpoint: https://key@host/",
            "2:13: labelbox.endpoint: must not hold a user or password; the API key is read from labelbox.api_key_file"
        ),
        (
            "api_key: lbx_s3cret",
            "2:3: labelbox.api_key: a key does not belong in this file; put it in a file of its own that only datarowd can "
                + "read, and name that in labelbox.api_key_file"
        ),
        (
            "api_key_file: key",
            "2:17: labelbox.api_key_file: \"key\" must be an absolute path, one that begins with \"/\""
        ),
        (
            "api_key_file: ~/key",
            "2:17: labelbox.api_key_file: \"~/key\" must be an absolute path; \"~\" is not expanded"
        ),
        ("api_key_file: /a/../b", "2:17: labelbox.api_key_file: \"/a/../b\" must not hold \"..\""),
        ("? [a]\n  : 1", "2:5: labelbox: a key must be a word, not a list"),
    ]

    @Test("a bad key names its line, its column, its path and the way out", arguments: labelbox.map(\.line))
    func labelboxKeys(line: String) throws {
        let expected = try #require(Self.labelbox.first { $0.line == line }?.message)
        let found = message { try Settings.parse("labelbox:\n  \(line)\n" + oneWatch, file: "f.yaml") }
        #expect(found == "f.yaml:\(expected)")
    }

    /// Whole files.
    private static let files: [(yaml: String, message: String)] = [
        ("", "f.yaml: is empty; at least \"watches\" must be given"),
        ("# nothing\n", "f.yaml: is empty; at least \"watches\" must be given"),
        ("[1]", "f.yaml:1:1: must be a mapping of keys to values, not a list"),
        ("log: {}\n", "f.yaml:1:1: watches: must be given: a list of the folders to watch"),
        ("watches: [cats]\n", "f.yaml:1:11: watches[0]: must be a mapping of keys to values, not a single value"),
        ("watches: []\n", "f.yaml:1:10: watches: must be a list with at least one watch, not a list"),
        ("watches: {name: a}\n", "f.yaml:1:10: watches: must be a list with at least one watch, not a mapping"),
        (
            "a: 1\n---\nb: 2\n",
            "f.yaml:2:1: is not valid YAML: expected a single document in the stream, but found another document"
        ),
        ("a: [1\n", "f.yaml:2:1: is not valid YAML: while parsing a flow sequence, did not find expected ',' or ']'"),
        (
            "\ta: 1\n",
            "f.yaml:1:1: is not valid YAML: while scanning for the next token, found character that cannot start any token"
        ),
        ("a: *b\n", "f.yaml:1:4: is not valid YAML: found undefined alias"),
        (
            "defaults: {dataset: \"a b\"}\nwatches: [{name: a, path: /drop/a}]\n",
            "f.yaml:1:21: defaults.dataset: must be an id without white space"
        ),
        ("log: {}\nlog: {}\n" + oneWatch, "f.yaml:1:1: \"log\" stands more than once in the same mapping; keep one"),
        ("log: info\n" + oneWatch, "f.yaml:1:6: log: must be a mapping of keys to values, not a single value"),
        ("watch:\n" + oneWatch, "f.yaml:1:1: watch: unknown key; did you mean \"watches\"?"),
        (
            "ledger: postgresql://u:pw@h/db\n" + oneWatch,
            "f.yaml:1:9: ledger: a PostgreSQL ledger is not available in this version; use \"sqlite\""
        ),
        ("ledger: mysql://u:pw@h/db\n" + oneWatch, "f.yaml:1:9: ledger: must be \"sqlite\""),
        (
            "http: {listen: \"9464\"}\n" + oneWatch,
            "f.yaml:1:16: http.listen: \"9464\" must be HOST:PORT, such as 127.0.0.1:9464"
        ),
        (
            "defaults: {name: x}\n" + oneWatch,
            "f.yaml:1:12: defaults.name: \"name\" belongs in each watch; watches cannot share one"
        ),
        (
            "watches:\n  - path: /drop/cats\n",
            "f.yaml:2:5: watches[0].name: must be given: names the watch in status, logs and the archive; unique\n"
                + "f.yaml:2:5: watches[0].dataset: must be given, here or under \"defaults\": id of the dataset that rows go "
                + "to, unless the manifest names one"
        ),
        (
            oneWatch + "  - {name: cats, path: /drop/dogs, dataset: d}\n",
            "f.yaml:5:12: watches[1].name: \"cats\" is the name of watches[0] too; names must be unique"
        ),
        (
            oneWatch + "  - {name: b, path: /drop/cats/, dataset: d}\n",
            "f.yaml:5:21: watches[1].path: /drop/cats is watched by watches[0] already"
        ),
        (
            oneWatch + "  - {name: b, path: /drop/cats/kittens, dataset: d}\n",
            "f.yaml:5:21: watches[1].path: /drop/cats/kittens overlaps with /drop/cats of watches[0]; one file must have "
                + "one watch"
        ),
        (
            oneWatch + "  - {name: b, path: /drop, dataset: d}\n",
            "f.yaml:5:21: watches[1].path: /drop overlaps with /drop/cats of watches[0]; one file must have one watch"
        ),
        (
            "state_directory: /drop\n" + oneWatch,
            "f.yaml:4:11: watches[0].path: /drop/cats and the state directory /drop must not lie in one another"
        ),
        (
            "state_directory: /drop/cats/.state\n" + oneWatch,
            "f.yaml:4:11: watches[0].path: /drop/cats and the state directory /drop/cats/.state must not lie in one another"
        ),
        (
            oneWatch + "    poll: yes\n",
            "f.yaml:5:11: watches[0].poll: must be true or false, without quotes, not \"yes\""
        ),
        (oneWatch + "    operations: []\n", "f.yaml:5:17: watches[0].operations: must name at least one"),
        (
            oneWatch + "    operations: [create, remove, create]\n",
            "f.yaml:5:26: watches[0].operations[1]: must be one of create, upsert, update, delete, not \"remove\"\n"
                + "f.yaml:5:34: watches[0].operations[2]: \"create\" stands there twice"
        ),
        (
            oneWatch + "    operation: delete\n",
            "f.yaml:5:16: watches[0].operation: delete is not among the watch's operations (create, upsert, update); "
                + "allow it there"
        ),
        (
            oneWatch + "    operation: upsert\n    operations: [create]\n",
            "f.yaml:5:16: watches[0].operation: upsert is not among the watch's operations (create); allow it there"
        ),
        (
            oneWatch + "    operations: create\n",
            "f.yaml:5:17: watches[0].operations: must be a list of some of create, upsert, update, delete, not a single value"
        ),
        (oneWatch + "    ignore: [a, \"\"]\n", "f.yaml:5:17: watches[0].ignore[1]: must be a text that is not empty"),
        (
            oneWatch + "    media_roots: [media]\n",
            "f.yaml:5:19: watches[0].media_roots[0]: \"media\" must be an absolute path, one that begins with \"/\""
        ),
        (
            oneWatch + "    max_manifest_size: 10 apples\n",
            "f.yaml:5:24: watches[0].max_manifest_size: must be a whole number with a unit (B, kB, KiB, MB, MiB, GB, GiB, "
                + "TB, TiB), not \"10 apples\""
        ),
        (
            oneWatch + "    max_rows_per_task: 150001\n",
            "f.yaml:5:24: watches[0].max_rows_per_task: must be a whole number from 1 to 150000, not 150001"
        ),
        (
            oneWatch + "    deletes_per_request: 10001\n",
            "f.yaml:5:26: watches[0].deletes_per_request: must be a whole number from 1 to 10000, not 10001"
        ),
        (
            oneWatch.replacing("name: cats", with: "name: ../cats"),
            "f.yaml:2:11: watches[0].name: \"../cats\" must be 1 to 64 letters, digits, dots, underscores or hyphens, no dot "
                + "first"
        ),
        (
            oneWatch.replacing("d1", with: "\"d 1\""),
            "f.yaml:4:14: watches[0].dataset: must be an id without white space"
        ),
        (oneWatch + "    <<: {settle: 1s}\n", "f.yaml:5:5: watches[0].<<: unknown key; known here are"),
    ]

    @Test("a bad file is refused with words that tell how to mend it", arguments: files.map(\.yaml))
    func wholeFiles(yaml: String) throws {
        let expected = try #require(Self.files.first { $0.yaml == yaml }?.message)
        let found = try #require(message { try Settings.parse(yaml, file: "f.yaml") })
        if expected.hasSuffix("known here are") {
            #expect(found.hasPrefix(expected))
        } else {
            #expect(found == expected)
        }
    }

    @Test("all problems of a file are told, one a line, in its order")
    func all() throws {
        let found = message {
            try Settings.parse(
                """
                watches:
                  - name: cats
                    path: drop
                    setle: 2s
                    linger: 1
                log: {level: loud}
                labelbox: {max_connections: 99, proxi: x}
                """, file: "/etc/f.yaml")
        }
        #expect(
            found == """
                /etc/f.yaml:2:5: watches[0].dataset: must be given, here or under "defaults": id of the dataset that rows go \
                to, unless the manifest names one
                /etc/f.yaml:3:11: watches[0].path: "drop" must be an absolute path, one that begins with "/"
                /etc/f.yaml:4:5: watches[0].setle: unknown key; did you mean "settle"?
                /etc/f.yaml:5:13: watches[0].linger: 1 needs a unit: 1ms, 1s, 1m, 1h or 1d
                /etc/f.yaml:6:14: log.level: must be one of trace, debug, info, notice, warning, error, critical, not "loud"
                /etc/f.yaml:7:29: labelbox.max_connections: must be a whole number from 1 to 20, not 99
                /etc/f.yaml:7:33: labelbox.proxi: unknown key; did you mean "proxy"?
                """)
    }

    @Test(
        "no message repeats a secret that stands in the wrong place",
        arguments: [
            "labelbox: {api_key: s3cret}", "api_key: s3cret", "labelbox: {token: s3cret}", "labelbox: s3cret",
            "labelbox: {proxy: \"ftp://me:s3cret@host\"}", "labelbox: {endpoint: \"https://s3cret@host\"}",
            "ledger: postgresql://me:s3cret@host/db", "labelbox: [s3cret]", "labelbox: {api_key: s3cret",
            "log: {}\nlog: s3cret",
        ])
    func secrets(start: String) throws {
        let found = try #require(message { try Settings.parse(start + "\n" + oneWatch, file: "f.yaml") })
        #expect(!found.contains("s3cret"))
    }

    @Test("no text makes the reader crash", arguments: 0..<20)
    func mangled(seed: Int) {
        let text = Array(SettingsExample.full.unicodeScalars)
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let odd: [Unicode.Scalar] = ["\t", ":", "-", "[", "{", "\"", "'", "#", "&", "*", "\0", "\n", " ", "é", "🦊"]
        for _ in 0..<10 {
            var mangled = text
            for _ in 0..<(1 + random(6)) { mangled[random(mangled.count)] = odd[random(odd.count)] }
            if random(4) == 0 { mangled.removeLast(random(mangled.count)) }
            var yaml = String.UnicodeScalarView()
            yaml.append(contentsOf: mangled)
            let found = message { try Settings.parse(String(yaml), file: "f.yaml") }
            #expect(found?.isEmpty != true)
        }
    }
}

@Suite("Quantities")
struct QuantityTests {
    @Test(
        "times are read in every unit",
        arguments: [
            ("500ms", Duration.milliseconds(500) as Duration?), ("2s", .seconds(2)), ("10m", .seconds(600)),
            ("1h", .seconds(3_600)),
            ("1d", .seconds(86_400)), ("0", .zero), ("0s", .zero), ("2 s", .seconds(2)), ("", nil), ("s", nil),
            ("2", nil),
            ("-2s", nil), ("+2s", nil), ("2S", nil), ("2.5s", nil), ("2  s", nil), ("1h30m", nil), ("٢s", nil),
            ("99999999999999999999s", nil), ("9223372036854775807d", nil),
        ])
    func durations(text: String, duration: Duration?) {
        #expect(DurationText.parse(text) == duration)
    }

    @Test(
        "a time is written in the largest unit that is exact",
        arguments: ["500ms", "1500ms", "2s", "90s", "10m", "36h", "2d", "0s"])
    func durationsBack(text: String) throws {
        #expect(DurationText.format(try #require(DurationText.parse(text))) == text)
    }

    @Test(
        "sizes are read in every unit",
        arguments: [
            ("10MB", 10_000_000 as Int64?), ("64KiB", 65_536), ("1kB", 1_000), ("1KB", 1_000), ("7B", 7),
            ("1GiB", 1 << 30),
            ("1GB", 1_000_000_000), ("2TiB", 2 << 40), ("0", 0), ("7", nil), ("1mb", nil),
            ("9223372036854775807TB", nil),
        ])
    func sizes(text: String, bytes: Int64?) {
        #expect(SizeText.parse(text) == bytes)
    }

    @Test(
        "a size is written in the largest unit that is exact",
        arguments: ["10MB", "64KiB", "1kB", "7B", "1GiB", "64GiB", "0"])
    func sizesBack(text: String) throws {
        #expect(SizeText.format(try #require(SizeText.parse(text))) == text)
    }

    @Test(
        "an address to listen on has a host and a port",
        arguments: [
            ("127.0.0.1:9464", "127.0.0.1", 9_464), ("[::1]:80", "::1", 80), ("localhost:0", "localhost", 0),
            ("::1:80", nil, nil), (":80", nil, nil), ("h:65536", nil, nil), ("h:+80", nil, nil), ("h:", nil, nil),
            ("h", nil, nil),
            ("a b:80", nil, nil), ("[]:80", nil, nil),
        ] as [(String, String?, Int?)])
    func addresses(text: String, host: String?, port: Int?) {
        #expect(ListenAddress(text)?.host == host)
        #expect(ListenAddress(text)?.port == port)
    }
}
