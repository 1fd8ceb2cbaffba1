// The Signal code that whatsmeow runs, with its serializer, driven over lines of JSON on stdin and stdout. It serves to
// record stored state for the tests of the import: `driver --record`.
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/libsignal/groups"
	groupRecord "go.mau.fi/libsignal/groups/state/record"
	"go.mau.fi/libsignal/keys/identity"
	"go.mau.fi/libsignal/keys/prekey"
	"go.mau.fi/libsignal/protocol"
	"go.mau.fi/libsignal/serialize"
	"go.mau.fi/libsignal/session"
	"go.mau.fi/libsignal/state/record"
	"go.mau.fi/libsignal/util/keyhelper"
	"go.mau.fi/libsignal/util/optional"
)

var (
	serializer = serialize.NewProtoBufSerializer()
	peer       = protocol.NewSignalAddress("15550100001", 0)
	me         = protocol.NewSignalAddress("15550100002", 0)
	group      = "120363000000000000@g.us"
)

// store keeps serialized records, as whatsmeow's database does.
type store struct {
	own        *identity.KeyPair
	signed     *record.SignedPreKey
	sessions   map[string][]byte
	preKeys    map[uint32]*record.PreKey
	senderKeys map[string][]byte
	nextID     uint32
}

const registrationID = 1234

func newStore() (*store, error) {
	own, err := keyhelper.GenerateIdentityKeyPair()
	if err != nil {
		return nil, err
	}
	signed, err := keyhelper.GenerateSignedPreKey(own, 1, serializer.SignedPreKeyRecord)
	if err != nil {
		return nil, err
	}
	return &store{own, signed, map[string][]byte{}, map[uint32]*record.PreKey{}, map[string][]byte{}, 2}, nil
}

func (s *store) GetIdentityKeyPair() *identity.KeyPair { return s.own }
func (s *store) GetLocalRegistrationID() uint32        { return registrationID }
func (s *store) SaveIdentity(context.Context, *protocol.SignalAddress, *identity.Key) error {
	return nil
}
func (s *store) IsTrustedIdentity(context.Context, *protocol.SignalAddress, *identity.Key) (bool, error) {
	return true, nil
}
func (s *store) LoadPreKey(_ context.Context, id uint32) (*record.PreKey, error) {
	return s.preKeys[id], nil
}
func (s *store) StorePreKey(_ context.Context, id uint32, key *record.PreKey) error {
	s.preKeys[id] = key
	return nil
}
func (s *store) ContainsPreKey(_ context.Context, id uint32) (bool, error) {
	return s.preKeys[id] != nil, nil
}
func (s *store) RemovePreKey(_ context.Context, id uint32) error {
	delete(s.preKeys, id)
	return nil
}
func (s *store) LoadSession(_ context.Context, address *protocol.SignalAddress) (*record.Session, error) {
	stored, ok := s.sessions[address.String()]
	if !ok {
		return record.NewSession(serializer.Session, serializer.State), nil
	}
	return record.NewSessionFromBytes(stored, serializer.Session, serializer.State)
}
func (s *store) GetSubDeviceSessions(context.Context, string) ([]uint32, error) { return nil, nil }
func (s *store) StoreSession(_ context.Context, address *protocol.SignalAddress, session *record.Session) error {
	s.sessions[address.String()] = session.Serialize()
	return nil
}
func (s *store) ContainsSession(_ context.Context, address *protocol.SignalAddress) (bool, error) {
	_, ok := s.sessions[address.String()]
	return ok, nil
}
func (s *store) DeleteSession(_ context.Context, address *protocol.SignalAddress) error {
	delete(s.sessions, address.String())
	return nil
}
func (s *store) DeleteAllSessions(context.Context) error { return nil }
func (s *store) LoadSignedPreKey(_ context.Context, id uint32) (*record.SignedPreKey, error) {
	if id != s.signed.ID() {
		return nil, nil
	}
	return s.signed, nil
}
func (s *store) LoadSignedPreKeys(context.Context) ([]*record.SignedPreKey, error) { return nil, nil }
func (s *store) StoreSignedPreKey(context.Context, uint32, *record.SignedPreKey) error {
	return nil
}
func (s *store) ContainsSignedPreKey(context.Context, uint32) (bool, error) { return true, nil }
func (s *store) RemoveSignedPreKey(context.Context, uint32) error           { return nil }
func (s *store) StoreSenderKey(_ context.Context, name *protocol.SenderKeyName, key *groupRecord.SenderKey) error {
	s.senderKeys[name.Sender().String()] = key.Serialize()
	return nil
}
func (s *store) LoadSenderKey(_ context.Context, name *protocol.SenderKeyName) (*groupRecord.SenderKey, error) {
	stored, ok := s.senderKeys[name.Sender().String()]
	if !ok {
		return groupRecord.NewSenderKey(serializer.SenderKeyRecord, serializer.SenderKeyState), nil
	}
	return groupRecord.NewSenderKeyFromBytes(stored, serializer.SenderKeyRecord, serializer.SenderKeyState)
}

type request struct {
	Step           string
	OneTime        any     `json:"one_time"`
	OneTimeID      *uint32 `json:"one_time_id"`
	Identity       string
	RegistrationID uint32 `json:"registration_id"`
	SignedID       uint32 `json:"signed_id"`
	Signed         string
	Signature      string
	Plaintexts     []string
	Kind           string
	Bytes          string
	Distribution   string
}

type answer map[string]any

func (s *store) builder() *session.Builder {
	return session.NewBuilder(s, s, s, s, peer, serializer)
}

func (s *store) step(ctx context.Context, r *request) (answer, error) {
	switch r.Step {
	case "hello":
		fresh, err := newStore()
		if err != nil {
			return nil, err
		}
		*s = *fresh
		return answer{
			"name":            "go.mau.fi/libsignal 0.2.1 (whatsmeow)",
			"identity":        hex.EncodeToString(s.own.PublicKey().Serialize()),
			"registration_id": registrationID,
		}, nil
	case "bundle":
		signature := s.signed.Signature()
		bundle := answer{
			"signed_id": s.signed.ID(),
			"signed":    hex.EncodeToString(s.signed.KeyPair().PublicKey().Serialize()),
			"signature": hex.EncodeToString(signature[:]),
		}
		if r.OneTime == true {
			pair, err := ecc.GenerateKeyPair()
			if err != nil {
				return nil, err
			}
			key := record.NewPreKey(s.nextID, pair, serializer.PreKeyRecord)
			s.preKeys[s.nextID] = key
			bundle["one_time_id"] = s.nextID
			bundle["one_time"] = hex.EncodeToString(pair.PublicKey().Serialize())
			s.nextID++
		}
		return bundle, nil
	case "initiate":
		var oneTime ecc.ECPublicKeyable
		oneTimeID := optional.NewEmptyUint32()
		if r.OneTimeID != nil {
			text, _ := r.OneTime.(string)
			oneTime = point(text)
			oneTimeID = optional.NewOptionalUint32(*r.OneTimeID)
		}
		bundle := prekey.NewBundle(r.RegistrationID, 0, oneTimeID, r.SignedID, oneTime, point(r.Signed),
			[64]byte(unhex(r.Signature)), identity.NewKey(point(r.Identity)))
		return answer{}, s.builder().ProcessBundle(ctx, bundle)
	case "encrypt":
		cipher := session.NewCipher(s.builder(), peer)
		var sealed protocol.CiphertextMessage
		for _, plaintext := range r.Plaintexts {
			var err error
			if sealed, err = cipher.Encrypt(ctx, unhex(plaintext)); err != nil {
				return nil, err
			}
		}
		kind := "msg"
		if sealed.Type() == protocol.PREKEY_TYPE {
			kind = "pkmsg"
		}
		return answer{"kind": kind, "bytes": hex.EncodeToString(sealed.Serialize())}, nil
	case "decrypt":
		cipher := session.NewCipher(s.builder(), peer)
		if r.Kind == "pkmsg" {
			message, err := protocol.NewPreKeySignalMessageFromBytes(unhex(r.Bytes), serializer.PreKeySignalMessage, serializer.SignalMessage)
			if err != nil {
				return nil, err
			}
			return opened(cipher.DecryptMessage(ctx, message))
		}
		message, err := protocol.NewSignalMessageFromBytes(unhex(r.Bytes), serializer.SignalMessage)
		if err != nil {
			return nil, err
		}
		return opened(cipher.Decrypt(ctx, message))
	case "sender_key":
		builder := groups.NewGroupSessionBuilder(s, serializer)
		distribution, err := builder.Create(ctx, protocol.NewSenderKeyName(group, me))
		if err != nil {
			return nil, err
		}
		return answer{"distribution": hex.EncodeToString(distribution.Serialize())}, nil
	case "group_encrypt":
		name := protocol.NewSenderKeyName(group, me)
		cipher := groups.NewGroupCipher(groups.NewGroupSessionBuilder(s, serializer), name, s)
		var last []byte
		for _, plaintext := range r.Plaintexts {
			sealed, err := cipher.Encrypt(ctx, unhex(plaintext))
			if err != nil {
				return nil, err
			}
			last = sealed.SignedSerialize()
		}
		return answer{"bytes": hex.EncodeToString(last)}, nil
	case "distribute":
		distribution, err := protocol.NewSenderKeyDistributionMessageFromBytes(unhex(r.Distribution), serializer.SenderKeyDistributionMessage)
		if err != nil {
			return nil, err
		}
		builder := groups.NewGroupSessionBuilder(s, serializer)
		return answer{}, builder.Process(ctx, protocol.NewSenderKeyName(group, peer), distribution)
	case "group_decrypt":
		message, err := protocol.NewSenderKeyMessageFromBytes(unhex(r.Bytes), serializer.SenderKeyMessage)
		if err != nil {
			return nil, err
		}
		cipher := groups.NewGroupCipher(groups.NewGroupSessionBuilder(s, serializer), protocol.NewSenderKeyName(group, peer), s)
		return opened(cipher.Decrypt(ctx, message))
	case "records":
		own, signed, signature := s.own.PrivateKey().Serialize(), s.signed.KeyPair().PrivateKey().Serialize(), s.signed.Signature()
		return answer{
			"identity_private": hex.EncodeToString(own[:]),
			"registration_id":  registrationID,
			"signed_id":        s.signed.ID(),
			"signed_private":   hex.EncodeToString(signed[:]),
			"signature":        hex.EncodeToString(signature[:]),
			"session":          hex.EncodeToString(s.sessions[peer.String()]),
			"sender_key":       hex.EncodeToString(s.senderKeys[peer.String()]),
			"own_sender_key":   hex.EncodeToString(s.senderKeys[me.String()]),
		}, nil
	}
	return nil, errors.New("unknown step " + r.Step)
}

func opened(plaintext []byte, err error) (answer, error) {
	if err != nil {
		return nil, err
	}
	return answer{"plaintext": hex.EncodeToString(plaintext)}, nil
}

func unhex(text string) []byte {
	bytes, _ := hex.DecodeString(text)
	return bytes
}

func point(text string) ecc.ECPublicKeyable {
	key, _ := ecc.DecodePoint(unhex(text), 0)
	return key
}

func main() {
	s := &store{}
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var r request
		var reply answer
		if err = json.Unmarshal(line, &r); err == nil {
			reply, err = s.step(context.Background(), &r)
		}
		if err != nil {
			reply = answer{"error": err.Error()}
		}
		text, _ := json.Marshal(reply)
		fmt.Println(string(text))
	}
}
