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

type command struct {
	Cmd     string   `json:"cmd"`
	N       int      `json:"n"`
	Phone   string   `json:"phone"`
	To      string   `json:"to"`
	Kind    string   `json:"kind"`
	Keys    []key    `json:"keys"`
	Call    string   `json:"call"`
	From    string   `json:"from"`
	Subject string   `json:"subject"`
	Members []string `json:"members"`
	said
}

// The client, and the messages that others refer to, by their id.
type driver struct {
	client *whatsmeow.Client
	guard  sync.Mutex
	known  map[string]known
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
	container, err := sqlstore.New(ctx, "sqlite3", "file:"+file+"?_foreign_keys=on&_synchronous=off", log)
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
	// With them messages carry the secrets that votes, responses and comments are sealed under.
	client.SendReportingTokens = true
	web := httpClient(address)
	client.SetWebsocketHTTPClient(web)
	client.SetPreLoginHTTPClient(web)
	client.SetMediaHTTPClient(web)
	d := &driver{client: client, known: map[string]known{}}
	client.AddEventHandler(func(event any) { d.handle(ctx, event) })

	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var cmd command
		if err := json.Unmarshal(lines.Bytes(), &cmd); err != nil {
			panic(err)
		}
		result, err := d.run(ctx, cmd)
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

func (d *driver) handle(ctx context.Context, event any) {
	client := d.client
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
		d.guard.Lock()
		defer d.guard.Unlock()
		// What only brings a sender key says nothing.
		if content(event.Message) == nil && event.Message.Conversation == nil {
			return
		}
		d.known[event.Info.ID] = known{event.Info, event.Message}
		for key, value := range d.told(ctx, event) {
			fields[key] = value
		}
		say("message", fields)
	case *events.CallOffer:
		say("call", map[string]any{"call": event.CallID, "from": event.CallCreator.String(), "what": "offer"})
	case *events.CallReject:
		say("call", map[string]any{"call": event.CallID, "from": event.From.String(), "what": "reject"})
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

func (d *driver) run(ctx context.Context, cmd command) (map[string]any, error) {
	client := d.client
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
		return d.send(ctx, to, cmd)
	case "reject":
		from, err := types.ParseJID(cmd.From)
		if err != nil {
			return nil, err
		}
		return nil, client.RejectCall(ctx, from, cmd.Call)
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

// Sends a text, unless the command names another kind.
func (d *driver) send(ctx context.Context, to types.JID, cmd command) (map[string]any, error) {
	if cmd.Kind == "" {
		cmd.Kind = "text"
	}
	d.guard.Lock()
	message, err := d.composed(ctx, to, cmd.Kind, &cmd.said)
	d.guard.Unlock()
	if err != nil {
		return nil, err
	}
	response, err := d.client.SendMessage(ctx, to, message)
	if err != nil {
		return nil, err
	}
	info := types.MessageInfo{ID: response.ID, Timestamp: response.Timestamp}
	info.Chat, info.Sender, info.IsFromMe, info.IsGroup = to, response.Sender.ToNonAD(), true, to.Server == types.GroupServer
	d.guard.Lock()
	d.known[response.ID] = known{info, message}
	d.guard.Unlock()
	return map[string]any{"id": response.ID}, nil
}

type stderrLog struct{}

func (stderrLog) Errorf(msg string, args ...any) { fmt.Fprintf(os.Stderr, "error "+msg+"\n", args...) }
func (stderrLog) Warnf(msg string, args ...any)  { fmt.Fprintf(os.Stderr, "warn  "+msg+"\n", args...) }
func (stderrLog) Infof(msg string, args ...any)  { fmt.Fprintf(os.Stderr, "info  "+msg+"\n", args...) }
func (stderrLog) Debugf(msg string, args ...any) { fmt.Fprintf(os.Stderr, "debug "+msg+"\n", args...) }
func (l stderrLog) Sub(string) waLog.Logger      { return l }
