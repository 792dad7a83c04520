import Testing
import Web

@Suite("Requests at the door")
struct RequestJudgeTests {
    /// On a loopback address, asked as browsers and Prometheus ask.
    private func verdict(
        _ method: String = "GET", _ target: String = "/metrics", host: String? = "127.0.0.1:9464", isOld: Bool = false,
        hasBody: Bool = false, loopback: String? = "127.0.0.1"
    ) -> RequestJudge.Verdict {
        RequestJudge(loopback: loopback).verdict(
            method: method, target: target, isOld: isOld, hostFields: host.map { [$0] } ?? [], hasBody: hasBody)
    }

    @Test("each resource is answered under its own name, whatever is asked behind it", arguments: Resource.allCases)
    func resources(resource: Resource) {
        #expect(verdict("GET", resource.rawValue) == .answer(resource))
        #expect(verdict("HEAD", resource.rawValue) == .answer(resource))
        #expect(verdict("GET", resource.rawValue + "?a=b&c=/healthz") == .answer(resource))
        #expect(verdict("GET", "http://localhost:9464\(resource.rawValue)") == .answer(resource))
    }

    @Test(
        "what is not exactly one of them is not found",
        arguments: ["//", "/x", "/metrics/", "/Metrics", "/%6detrics", "/./metrics", "/../metrics", "", "*", "metrics"])
    func notFound(target: String) { #expect(verdict("GET", target) == .refuse(.notFound)) }

    @Test("nothing but reading is let through", arguments: ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "get", ""])
    func methods(method: String) { #expect(verdict(method) == .refuse(.wrongMethod)) }

    @Test("a request that brings a body is refused")
    func body() { #expect(verdict(hasBody: true) == .refuse(.bodyRefused)) }

    @Test(
        "on a loopback address only names of this machine are answered",
        arguments: [
            ("localhost", true), ("LocalHost:1", true), ("127.0.0.1", true), ("[::1]:9464", true),
            ("evil.example", false), ("localhost.evil.example", false), ("127.0.0.1.evil.example", false),
            ("evil.example:9464", false), ("", false), ("[::2]:9464", false), ("127.0.0.2", false),
        ])
    func hosts(host: String, isAnswered: Bool) {
        #expect(verdict(host: host) == (isAnswered ? .answer(.metrics) : .refuse(.wrongHost)))
        // A whole address in the request line counts more than the header.
        #expect(
            verdict("GET", "http://\(host)/metrics", host: "localhost")
                == (isAnswered ? .answer(.metrics) : .refuse(.wrongHost)))
    }

    @Test("the address that is listened on is one of them, and where others ask any name is")
    func ownAddress() {
        #expect(verdict(host: "127.0.0.2:9464", loopback: "127.0.0.2") == .answer(.metrics))
        #expect(verdict(host: "importer.example", loopback: nil) == .answer(.metrics))
    }

    @Test("a host is named once, but by HTTP/1.0 it need not be")
    func hostFields() {
        #expect(verdict(host: nil) == .refuse(.badRequest))
        #expect(verdict(host: nil, isOld: true) == .answer(.metrics))
        let twice = RequestJudge(loopback: nil).verdict(
            method: "GET", target: "/", isOld: false, hostFields: ["a", "a"], hasBody: false)
        #expect(twice == .refuse(.badRequest))
    }
}
