import ArgumentParser

/// Commands that look at one thing each: a message, a key, an address, a server.
enum ToolCommands {
    static let all: [any ParsableCommand.Type] = [
        Parse.self, Classify.self, DKIM.self, Probe.self, Bounce.self, Token.self, SendTest.self,
    ]
}
