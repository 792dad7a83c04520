import Foundation
import Testing

/// What keeps the daemon from Labelbox is said while it lasts, costs few requests, and loses nothing.
@Suite("Trouble on the way to Labelbox", .serialized)
struct WayTests {
    /// Waits until the daemon's status says that it is in a state, with some words in its reason.
    private static func says(
        _ state: String, _ words: String, _ site: Site, within limit: Duration = .seconds(30)
    ) async throws {
        try await eventually(within: limit, "the daemon is \(state), with '\(words)' in its reason") { () -> Void? in
            try site.expectDaemonRuns()
            guard let status = try site.daemonStatus(), status["state"].string == state else { return nil }
            return status["state_reason"].string?.contains(words) == true ? () : nil
        }
    }

    /// Waits for everything that was dropped; nothing of it failed.
    private static func expectComplete(_ manifests: [String], _ site: Site) async throws {
        for manifest in manifests {
            let status = try await site.ended("\(manifest).ndjson")
            #expect(status["state"].string == "complete", "\(status)")
            #expect(status["rows"]["failed"].int == 0)
        }
        try await site.expectEachRowOnce()
        try await says("running", "it works", site)
    }

    // MARK: The server

    @Test("a server that is down for long is asked seldom, and found again", .timeLimit(.minutes(60)))
    func down() async throws {
        try await Site.with(networked: SiteSettings()) { site, network in
            try await site.start()
            network.goDown()
            let manifests = (0..<5).map { "import \($0)" }
            for manifest in manifests { try site.dropRows(manifest, withPicture: true) }
            try await Self.says("degraded", "Labelbox does not answer", site)
            let minutes = Torture.number("down-minutes", otherwise: 10)
            try await Task.sleep(for: FastClocks.real(.seconds(30 * minutes)))
            // It takes connections again, and nothing else: what is tried can be counted.
            network.aim(.resetDuring, at: "*", times: nil)
            try network.comeBack()
            let before = network.connections
            try await Task.sleep(for: FastClocks.real(.seconds(30 * minutes)))
            let tries = network.connections - before
            print("down: \(tries) connections in \(minutes / 2) minutes")
            #expect((1...5 + minutes).contains(tries))
            for manifest in manifests { #expect(try site.status("\(manifest).ndjson")?["rows"]["failed"].int == 0) }
            let back = ContinuousClock.now
            network.heal()
            try await Self.expectComplete(manifests, site)
            print(
                "down: everything is done \((ContinuousClock.now - back) * FastClocks.speed) after the server came back"
            )
            try await site.expectEachSubmitOnce(network)
        }
    }

    @Test("one import alone tells that the server is down, too", .timeLimit(.minutes(1)))
    func downForOne() async throws {
        try await Site.with(networked: SiteSettings()) { site, network in
            try await site.start()
            network.goDown()
            try site.dropRows("rows")
            try await Self.says("degraded", "Labelbox does not answer", site)
            try await site.status(of: "rows.ndjson", "says what it waits for") {
                $0["state_reason"].string?.contains("Labelbox does not answer") == true
            }
            try network.comeBack()
            try await Self.expectComplete(["rows"], site)
        }
    }

    // MARK: Names and certificates

    @Test("a name that does not resolve is told, and asked for until it does", .timeLimit(.minutes(1)))
    func name() async throws {
        let network = try HostileNetwork()
        defer { network.close() }
        let settings = SiteSettings(
            endpoint: "http://labelbox.test:\(network.port)/graphql", isFast: true, names: "labelbox.test\n")
        try await Site.with(settings) { site in
            network.connect(to: site.simulator.port)
            try await site.start()
            try site.dropRows("rows", withPicture: true)
            try await Self.says("degraded", "resolve", site)
            #expect(network.connections == 0)
            try site.write(names: "labelbox.test 127.0.0.1\n")
            try await Self.expectComplete(["rows"], site)
            // It may go away while the daemon runs, too.
            try site.write(names: "labelbox.test\n")
            network.cut()
            try await Task.sleep(for: FastClocks.real(.seconds(120)))
            try site.dropRows("more")
            try await Self.says("degraded", "resolve", site)
            try site.write(names: "labelbox.test 127.0.0.1\n")
            try await Self.expectComplete(["more"], site)
        }
    }

    @Test(
        "a certificate that is not right is told, nothing is sent to it, and all goes on when it is mended",
        .timeLimit(.minutes(2)))
    func certificates() async throws {
        let network = try HostileNetwork()
        defer { network.close() }
        let front = try await TLSFront.start(before: network.port, .expired)
        defer { front.close() }
        let settings = SiteSettings(
            labelbox: ["ca_file: \(front.authorities.path)"], endpoint: front.endpoint, isFast: true)
        try await Site.with(settings) { site in
            network.connect(to: site.simulator.port)
            try await site.start()
            try site.dropRows("rows", withPicture: true)
            try await Self.says("degraded", "expired", site)
            try front.use(.ofAnotherName)
            try await Self.says("degraded", "name", site)
            try front.use(.unknown)
            try await Self.says("degraded", "self-signed", site)
            #expect(network.requests == 0, "not even the key was sent")
            try front.use(.good)
            try await Self.expectComplete(["rows"], site)

            // Changed while the daemon runs; kept connections go on as long as they stand.
            try front.use(.unknown)
            network.cut()
            try site.dropRows("more", withPicture: true)
            try await Self.says("degraded", "self-signed", site)
            try front.vouchForUnknown()
            try await Self.expectComplete(["more"], site)
        }
    }

    // MARK: Proxies

    private static let password = "pa55-word-7731"

    /// The proxy's password is in nothing that the daemon wrote.
    private static func expectNoPassword(_ site: Site) throws {
        let told = try Secrecy.files(in: site.root, with: password).filter { $0 != site.configuration.path }
        #expect(told.isEmpty, "the proxy's password is in \(told)")
    }

    /// A proxy on the way, whatever this machine's environment says of proxies.
    private static func settings(_ proxy: HostileNetwork, _ labelbox: [String] = []) -> SiteSettings {
        SiteSettings(
            labelbox: ["proxy: http://someone:\(password)@127.0.0.1:\(proxy.port)"] + labelbox,
            environment: ["no_proxy": "", "NO_PROXY": ""], isFast: true)
    }

    private static let needsPassword = Mischief(
        "refused by the proxy",
        .answer { _ in
            .answer(
                "407 Proxy Authentication Required", Array("who are you?".utf8), type: "text/plain",
                headers: [("Proxy-Authenticate", "Basic realm=\"proxy\"")])
        })
    private static let findsNobody = Mischief(
        "answered by the proxy in the server's place",
        .answer { _ in .answer("502 Bad Gateway", "nobody there", type: "text/plain") })

    @Test("a proxy that is down, refuses, or dies on the way is told, without its password", .timeLimit(.minutes(2)))
    func proxy() async throws {
        let proxy = try HostileNetwork()
        defer { proxy.close() }
        try await Site.with(Self.settings(proxy)) { site in
            proxy.connect(to: site.simulator.port)
            proxy.goDown()
            try await site.start()
            try site.dropRows("rows", withPicture: true)
            try await Self.says("degraded", "connect", site)
            proxy.aim(Self.needsPassword, at: "*", times: nil)
            try proxy.comeBack()
            try await Self.says("degraded", "407", site)
            proxy.heal()
            proxy.aim(Self.findsNobody, at: "*", times: nil)
            try await Self.says("degraded", "502", site)
            proxy.heal()
            proxy.aim(.lost, at: "UploadFile", times: 2)
            proxy.aim(.lost, at: "UpsertDataRows")
            try await Self.expectComplete(["rows"], site)
            try await site.expectEachSubmitOnce(proxy)
            try Self.expectNoPassword(site)
        }
    }

    @Test("so is one that makes tunnels", .timeLimit(.minutes(2)))
    func tunnels() async throws {
        let (proxy, network) = (try HostileNetwork(), try HostileNetwork())
        defer {
            proxy.close()
            network.close()
        }
        let front = try await TLSFront.start(before: network.port, .good)
        defer { front.close() }
        var settings = Self.settings(proxy, ["ca_file: \(front.authorities.path)", "connect_timeout: 30s"])
        settings.endpoint = front.endpoint
        try await Site.with(settings) { site in
            network.connect(to: site.simulator.port)
            proxy.aim(Self.needsPassword, at: "CONNECT", times: nil)
            try await site.start()
            try site.dropRows("rows", withPicture: true)
            try await Self.says("degraded", "407", site)
            proxy.heal()
            proxy.aim(Self.findsNobody, at: "CONNECT", times: nil)
            try await Self.says("degraded", "502", site)
            proxy.heal()
            let brokenTunnel = Mischief("a tunnel that breaks", isForwarded: true, .reset)
            for trouble in [.resetDuring, .closed, .swallowed, brokenTunnel] {
                proxy.aim(trouble, at: "CONNECT", times: 2)
            }
            try await Self.expectComplete(["rows"], site)
            #expect(proxy.count(of: brokenTunnel) == 2)
            try await site.expectEachSubmitOnce(network)
            try Self.expectNoPassword(site)
        }
    }

    // MARK: The account

    @Test(
        "a key that is revoked blocks the daemon; a new one in its file is used without a restart",
        .timeLimit(.minutes(2)))
    func revokedKey() async throws {
        let new = "lbk-e2e-4e0a9d17c2f86b35"
        try await Site.with(networked: SiteSettings(watch: ["linger: 0s"])) { site, network in
            network.accept(key: Simulator.key)
            try await site.start()
            try site.dropRows("before")
            try await site.ended("before.ndjson")

            network.accept(key: new)
            let manifests = ["one", "two", "three"]
            for manifest in manifests { try site.dropRows(manifest, withPicture: true) }
            try await Self.says("blocked", "Invalid API key", site)
            let refused = network.requests
            try await Task.sleep(for: FastClocks.real(.seconds(330)))
            #expect(network.requests - refused <= 3, "it is tried every 5 minutes")
            for manifest in manifests {
                #expect(try site.status("\(manifest).ndjson")?["rows"]["failed"].int ?? 0 == 0)
            }

            try await site.status(of: "one.ndjson", "says what it waits for") {
                $0["state_reason"].string?.contains("Labelbox refuses the account") == true
            }

            try site.write(key: new)
            try await Self.expectComplete(manifests, site)
            try await site.expectEachSubmitOnce(network)
            let told = try Secrecy.files(in: site.root, with: new).filter { $0 != site.keyFile.path }
            #expect(told.isEmpty, "the new key is in \(told)")
        }
    }

    @Test("a quota that is used up blocks the daemon until it is raised; no row fails", .timeLimit(.minutes(2)))
    func quota() async throws {
        try await Site.with(networked: SiteSettings()) { site, network in
            try await site.start()
            try await site.simulator.addFaults(#"{"rates": {"426": 1}, "operations": ["upsertDataRows"]}"#)
            try site.dropRows("rows", withPicture: true)
            try await Self.says("blocked", "refuses the account", site)
            let refused = network.requests
            try await Task.sleep(for: FastClocks.real(.seconds(330)))
            #expect(network.requests - refused <= 3, "it is tried every 5 minutes")
            #expect(try site.status("rows.ndjson")?["rows"]["failed"].int == 0)
            try await site.simulator.resetFaults()
            try await Self.expectComplete(["rows"], site)
        }
    }

    @Test("a pause that the server asks for is kept by all", .timeLimit(.minutes(1)))
    func pause() async throws {
        let slower = Mischief(
            "told to wait for four minutes",
            .answer { _ in
                .answer("429 Too Many Requests", Array("{}".utf8), headers: [("Retry-After", "240")])
            })
        try await Site.with(networked: SiteSettings(watch: ["linger: 0s"])) { site, network in
            try await site.start()
            network.aim(slower, at: "UpsertDataRows")
            try site.dropRows("first")
            try await Self.says("running", "asked for a pause", site)
            let before = network.requests
            try site.dropRows("second", withPicture: true)
            try await Task.sleep(for: FastClocks.real(.seconds(120)))
            #expect(network.requests == before)
            try await Self.expectComplete(["first", "second"], site)
        }
    }
}
