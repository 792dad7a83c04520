internal import DataRows
internal import Foundation
internal import Glibc
internal import LabelboxAPI
internal import Settings
internal import SystemPackage
internal import Transport

/// Looks at the key, the way to Labelbox, and the clock.
struct AccountCheckup {
    let settings: LabelboxSettings
    let environment: [String: String]
    let now: @Sendable () -> Date

    /// Below this nobody notices; certificates and the pause after a 429 do not mind either.
    private static let goodClock: TimeInterval = 5
    /// From here on certificates and signatures may be refused.
    private static let badClock: TimeInterval = 300

    // MARK: The key

    /// Whether the key is found, and who may read it.
    func key() -> Finding {
        let found: APIKey.Found
        do throws(APIKey.Problem) {
            found = try APIKey.find(file: settings.apiKeyFile, environment: environment)
        } catch {
            let isCredential = settings.apiKeyFile == nil && error.code == .missing
            return Finding(
                "api_key", isCredential ? .warning : .problem, error.description,
                hint: isCredential
                    ? "a key that systemd gives to the service is seen by the service only: systemctl show -p LoadCredential datarowd"
                    : "name a file with the key in labelbox.api_key_file")
        }
        guard let warning = found.warnings.first else {
            return Finding("api_key", .ok, "found: \(found.source)\(Self.mode(found.source))")
        }
        return Finding(
            "api_key", .warning, "found: \(found.source)\(Self.mode(found.source)); \(warning)",
            hint: "take the right to read it from others")
    }

    private static func mode(_ source: APIKey.Source) -> String {
        let path: FilePath
        switch source {
        case .file(let file), .systemdCredential(let file): path = file
        case .environment: return ""
        }
        var status = stat()
        guard path.withPlatformString({ stat($0, &status) }) == 0 else { return "" }
        return ", mode \(Permissions.text(status.st_mode))"
    }

    // MARK: The network

    func network(_ session: RemoteSession?) async -> [Finding] {
        let (way, date) = await endpoint()
        var findings = [way, proxy()]
        // One that cannot be reached accepts nothing, and one answer about that is enough.
        guard way.verdict != .problem else { return findings }
        findings.append(clock(date))
        if let session { findings.append(await acceptance(session)) }
        return findings
    }

    /// Whether the endpoint answers at all, and the date in its answer; the key is not sent.
    private func endpoint() async -> (Finding, String?) {
        do throws(TransportError) {
            let transport = try CurlTransport(
                .init(
                    caFile: settings.caFile?.string, proxy: settings.proxy, userAgent: "datarowctl/\(Release.version)",
                    maxConnections: 1))
            let response = try await transport.send(
                HTTPRequest(
                    .post, url: settings.endpoint, headers: [HTTPHeader("Content-Type", "application/json")],
                    body: .bytes(Array(#"{"query":"{ __typename }"}"#.utf8)), connection: .fresh,
                    connectTimeout: min(settings.connectTimeout, .seconds(10)), stallTimeout: .seconds(20)))
            await transport.shutdown()
            let isEncrypted = settings.endpoint.lowercased().hasPrefix("https:")
            let how = isEncrypted ? "over TLS, with a certificate that is trusted" : "without encryption"
            let what = "\(TransportError.withoutSecrets(settings.endpoint)) answers \(how) (\(response.status))"
            guard response.status < 500 else {
                return (
                    Finding(
                        "endpoint", .warning, what, hint: "the server is in trouble; the daemon waits until it is not"),
                    response.headers["date"]
                )
            }
            return (Finding("endpoint", .ok, what), response.headers["date"])
        } catch {
            return (Finding("endpoint", .problem, "\(error.url): \(error.message)", hint: error.hint), nil)
        }
    }

    private func proxy() -> Finding {
        if let proxy = settings.proxy {
            return Finding(
                "proxy", .ok,
                proxy.isEmpty
                    ? "none, as labelbox.proxy says"
                    : "\(TransportError.withoutSecrets(proxy)), as labelbox.proxy says")
        }
        let isEncrypted = settings.endpoint.lowercased().hasPrefix("https:")
        // As libcurl has it: HTTP_PROXY in capitals is not looked at, since a CGI's client could set it.
        let names = isEncrypted ? ["https_proxy", "HTTPS_PROXY"] : ["http_proxy"]
        let variable = (names + ["all_proxy", "ALL_PROXY"]).first { !(environment[$0] ?? "").isEmpty }
        guard let variable, let value = environment[variable] else {
            return Finding("proxy", .ok, "none: neither labelbox.proxy nor the environment of this command names one")
        }
        let spared = (environment["no_proxy"] ?? environment["NO_PROXY"]).map { ", but for \($0)" } ?? ""
        return Finding(
            "proxy", .warning,
            "\(TransportError.withoutSecrets(value)), as this command's \(variable) says\(spared)",
            hint: "the service has an environment of its own; set labelbox.proxy, so that both go the same way")
    }

    private func clock(_ date: String?) -> Finding {
        guard let date, let seconds = RetryAfter.unixTime(date) else {
            return Finding("clock", .ok, "the server's answer has no date to compare with")
        }
        let ahead = now().timeIntervalSince1970 - Double(seconds)
        let away = "\(AgeText.of(abs(ahead).rounded())) \(ahead > 0 ? "ahead of" : "behind") the server's"
        if abs(ahead) < Self.goodClock { return Finding("clock", .ok, "this machine's is the server's") }
        return Finding(
            "clock", abs(ahead) < Self.badClock ? .warning : .problem, "this machine's is \(away)",
            hint: "set it: timedatectl set-ntp true")
    }

    private func acceptance(_ session: RemoteSession) async -> Finding {
        do throws(LabelboxError) {
            let user = try await session.client.currentUser()
            return Finding("account", .ok, "the key is accepted, and is \(user.email ?? user.id.rawValue)'s")
        } catch {
            let told = ControlError("account", error)
            return Finding("account", .problem, told.why, hint: told.hint)
        }
    }
}
