// The Go module go.mau.fi/whatsmeow as a stranger: commands as lines of JSON on stdin, what it saw as lines of JSON on
// stdout. The module is unpatched; only the address that is dialled and the root of trust are other ones.
// Arguments: host:port, root key in hex, file for its credentials, push name.
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	_ "github.com/mattn/go-sqlite3"
	"go.mau.fi/whatsmeow"
	waCompanionReg "go.mau.fi/whatsmeow/proto/waCompanionReg"
	waE2E "go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	waLog "go.mau.fi/whatsmeow/util/log"
	"google.golang.org/protobuf/proto"
)

var output sync.Mutex

func say(event string, fields map[string]any) {
	if fields == nil {
		fields = map[string]any{}
	}
	fields["event"] = event
	line, _ := json.Marshal(fields)
	output.Lock()
	defer output.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

// Every connection goes to the simulator, without TLS.
func httpClient(address string) *http.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial, DialTLSContext: dial}}
}

type key struct {
	RemoteJid   string `json:"remoteJid"`
	FromMe      bool   `json:"fromMe"`
	ID          string `json:"id"`
	Participant string `json:"participant"`
}

type quoted struct {
	Key  key    `json:"key"`
	Text string `json:"text"`
}

type command struct {
	Cmd     string   `json:"cmd"`
	N       int      `json:"n"`
	Phone   string   `json:"phone"`
	To      string   `json:"to"`
	Text    string   `json:"text"`
	Quoted  *quoted  `json:"quoted"`
	Key     key      `json:"key"`
	Keys    []key    `json:"keys"`
	Emoji   string   `json:"emoji"`
	Subject string   `json:"subject"`
	Members []string `json:"members"`
}

func main() {
	address, root, file, name := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	key, err := hex.DecodeString(root)
	if err != nil {
		panic(err)
	}
	copy(whatsmeow.WACertPubKey[:], key)
	store.DeviceProps.Os = proto.String("Linux")
	store.DeviceProps.PlatformType = waCompanionReg.DeviceProps_CHROME.Enum()

	level := os.Getenv("WHATSMEOW_LOG")
	var log waLog.Logger = waLog.Noop
	if level != "" {
		log = stderrLog{}
	}
	ctx := context.Background()
	container, err := sqlstore.New(ctx, "sqlite3", "file:"+file+"?_foreign_keys=on", log)
	if err != nil {
		panic(err)
	}
	device, err := container.GetFirstDevice(ctx)
	if err != nil {
		panic(err)
	}
	// Two clients with one push name become two devices of one account.
	store.BaseClientPayload.PushName = proto.String(name)
	client := whatsmeow.NewClient(device, log)
	web := httpClient(address)
	client.SetWebsocketHTTPClient(web)
	client.SetPreLoginHTTPClient(web)
	client.SetMediaHTTPClient(web)
	client.AddEventHandler(func(event any) { handle(client, event) })

	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var cmd command
		if err := json.Unmarshal(lines.Bytes(), &cmd); err != nil {
			panic(err)
		}
		result, err := run(ctx, client, cmd)
		if err != nil {
			say("failed", map[string]any{"n": cmd.N, "cmd": cmd.Cmd, "error": err.Error()})
			continue
		}
		if result == nil {
			result = map[string]any{}
		}
		result["n"], result["cmd"] = cmd.N, cmd.Cmd
		say("done", result)
	}
}

func handle(client *whatsmeow.Client, event any) {
	switch event := event.(type) {
	case *events.PairSuccess:
		say("paired", map[string]any{"jid": event.ID.String(), "lid": event.LID.String()})
	case *events.Connected:
		say("open", map[string]any{"jid": client.Store.ID.String(), "lid": client.Store.LID.String()})
		// Otherwise delivery receipts would be inactive and nobody would see them.
		_ = client.SendPresence(context.Background(), types.PresenceAvailable)
	case *events.OfflineSyncCompleted:
		say("caught-up", nil)
	case *events.Disconnected, *events.LoggedOut, *events.StreamReplaced:
		say("close", map[string]any{"why": fmt.Sprintf("%T", event)})
	case *events.UndecryptableMessage:
		say("undecryptable", map[string]any{"id": event.Info.ID, "chat": event.Info.Chat.String()})
	case *events.Message:
		fields := map[string]any{
			"id": event.Info.ID, "chat": event.Info.Chat.String(), "from_me": event.Info.IsFromMe,
			"chat_alt": event.Info.RecipientAlt.String(),
			"sender":   event.Info.Sender.String(), "sender_alt": event.Info.SenderAlt.String(), "name": event.Info.PushName,
		}
		content(fields, event.Message)
		say("message", fields)
	case *events.Receipt:
		what := "delivered"
		switch event.Type {
		case types.ReceiptTypeRead:
			what = "read"
		case types.ReceiptTypeDelivered:
		default:
			what = string(event.Type)
		}
		for _, id := range event.MessageIDs {
			say("receipt", map[string]any{"id": id, "chat": event.Chat.String(), "user": event.Sender.String(), "what": what})
		}
	}
}

func content(fields map[string]any, message *waE2E.Message) {
	switch {
	case message.GetConversation() != "":
		fields["kind"], fields["text"] = "text", message.GetConversation()
	case message.ExtendedTextMessage != nil:
		fields["kind"], fields["text"] = "text", message.ExtendedTextMessage.GetText()
		if id := message.ExtendedTextMessage.GetContextInfo().GetStanzaID(); id != "" {
			fields["quoted"] = id
		}
	case message.ReactionMessage != nil:
		fields["kind"], fields["text"] = "reaction", message.ReactionMessage.GetText()
		fields["target"] = message.ReactionMessage.GetKey().GetID()
	default:
		fields["kind"] = "other"
	}
}

func run(ctx context.Context, client *whatsmeow.Client, cmd command) (map[string]any, error) {
	switch cmd.Cmd {
	case "connect":
		if client.Store.ID == nil {
			codes, err := client.GetQRChannel(ctx)
			if err != nil {
				return nil, err
			}
			go func() {
				for item := range codes {
					if item.Event == whatsmeow.QRChannelEventCode {
						say("qr", map[string]any{"code": item.Code})
					} else {
						say("qr-end", map[string]any{"why": item.Event, "error": fmt.Sprint(item.Error)})
					}
				}
			}()
		}
		return nil, client.Connect()
	case "pair_code":
		code, err := client.PairPhone(ctx, cmd.Phone, true, whatsmeow.PairClientChrome, "Chrome (Linux)")
		if err == nil {
			say("code", map[string]any{"code": code})
		}
		return nil, err
	case "send":
		to, err := types.ParseJID(cmd.To)
		if err != nil {
			return nil, err
		}
		message := &waE2E.Message{Conversation: proto.String(cmd.Text)}
		if cmd.Quoted != nil {
			participant := cmd.Quoted.Key.Participant
			if participant == "" {
				participant = cmd.Quoted.Key.RemoteJid
			}
			message = &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{
				Text: proto.String(cmd.Text),
				ContextInfo: &waE2E.ContextInfo{
					StanzaID:      proto.String(cmd.Quoted.Key.ID),
					Participant:   proto.String(participant),
					QuotedMessage: &waE2E.Message{Conversation: proto.String(cmd.Quoted.Text)},
				},
			}}
		}
		return send(ctx, client, to, message)
	case "react":
		chat, err := types.ParseJID(cmd.Key.RemoteJid)
		if err != nil {
			return nil, err
		}
		sender := chat
		if cmd.Key.Participant != "" {
			if sender, err = types.ParseJID(cmd.Key.Participant); err != nil {
				return nil, err
			}
		}
		return send(ctx, client, chat, client.BuildReaction(chat, sender.ToNonAD(), cmd.Key.ID, cmd.Emoji))
	case "read":
		for _, one := range cmd.Keys {
			chat, err := types.ParseJID(one.RemoteJid)
			if err != nil {
				return nil, err
			}
			sender := types.EmptyJID
			if one.Participant != "" {
				if sender, err = types.ParseJID(one.Participant); err != nil {
					return nil, err
				}
			}
			if err := client.MarkRead(ctx, []types.MessageID{one.ID}, time.Now(), chat, sender.ToNonAD()); err != nil {
				return nil, err
			}
		}
		return nil, nil
	case "group_create":
		var members []types.JID
		for _, member := range cmd.Members {
			jid, err := types.ParseJID(member)
			if err != nil {
				return nil, err
			}
			members = append(members, jid)
		}
		group, err := client.CreateGroup(ctx, whatsmeow.ReqCreateGroup{Name: cmd.Subject, Participants: members})
		if err != nil {
			return nil, err
		}
		return map[string]any{"jid": group.JID.String()}, nil
	case "disconnect":
		client.Disconnect()
		return nil, nil
	case "quit":
		client.Disconnect()
		os.Exit(0)
	}
	return nil, fmt.Errorf("unknown command %q", cmd.Cmd)
}

func send(ctx context.Context, client *whatsmeow.Client, to types.JID, message *waE2E.Message) (map[string]any, error) {
	response, err := client.SendMessage(ctx, to, message)
	if err != nil {
		return nil, err
	}
	return map[string]any{"id": response.ID}, nil
}

type stderrLog struct{}

func (stderrLog) Errorf(msg string, args ...any) { fmt.Fprintf(os.Stderr, "error "+msg+"\n", args...) }
func (stderrLog) Warnf(msg string, args ...any)  { fmt.Fprintf(os.Stderr, "warn  "+msg+"\n", args...) }
func (stderrLog) Infof(msg string, args ...any)  { fmt.Fprintf(os.Stderr, "info  "+msg+"\n", args...) }
func (stderrLog) Debugf(msg string, args ...any) { fmt.Fprintf(os.Stderr, "debug "+msg+"\n", args...) }
func (l stderrLog) Sub(string) waLog.Logger      { return l }
