-- Keys of the admin API. The store knows a key only by its hash, and what a key may do only as words that the API gives meaning.

create table api_keys (
  id bigint generated always as identity primary key,
  name text collate "C" not null check (char_length(name) between 1 and 128),
  hash bytea not null unique check (octet_length(hash) = 32),
  scopes text[] not null check (cardinality(scopes) between 1 and 64),
  created_at timestamptz not null default clock_timestamp(),
  created_by text not null,
  expires_at timestamptz check (isfinite(expires_at)),
  revoked_at timestamptz,
  last_used_at timestamptz
);
create unique index api_keys_name on api_keys (name) where revoked_at is null;
comment on table api_keys is 'Keys of the admin API. A revoked key is kept, so that the audit trail can be read.';
comment on column api_keys.hash is 'SHA-256 of the key. The key itself is random and long, so nothing slower is needed, and it is stored nowhere.';
comment on column api_keys.last_used_at is 'To the minute.';

create view v_api_keys as
  select k.id, k.name, k.scopes, k.created_at, k.created_by, k.expires_at, k.revoked_at, k.last_used_at,
    k.revoked_at is null and (k.expires_at is null or k.expires_at > (select clock_timestamp())) as is_valid
  from api_keys k;
comment on view v_api_keys is 'Keys of the admin API, what they may do and until when; never their hashes.';

create function create_api_key(name text, hash bytea, scopes text[], actor text, reason text, expires_at timestamptz default null)
returns bigint
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_id bigint;
begin
  perform check_words(create_api_key.actor, create_api_key.reason);
  if create_api_key.name ~ '^[A-Za-z0-9]([A-Za-z0-9._@-]{0,126}[A-Za-z0-9])?$' is not true then
    raise exception using errcode = '22023', message = format('name is %s', coalesce(quote_literal(left(create_api_key.name, 80)), 'null')),
      hint = 'write who will use the key: letters, digits and . _ @ - between them, at most 128';
  end if;
  if octet_length(create_api_key.hash) is distinct from 32 then
    raise exception using errcode = '22023', message = 'hash must be the SHA-256 of the key: 32 bytes';
  end if;
  if coalesce(cardinality(create_api_key.scopes), 0) not between 1 and 64
    or exists (select from unnest(create_api_key.scopes) s where s ~ '^[a-z]{1,32}:[a-z]{1,32}$' is not true) then
    raise exception using errcode = '22023', message = 'scopes must be 1 to 64 words such as jobs:read';
  end if;
  if create_api_key.expires_at <= clock_timestamp() or not isfinite(create_api_key.expires_at) then
    raise exception using errcode = '22023', message = format('expires_at is %s', create_api_key.expires_at),
      hint = 'write an instant that is still to come, or null for a key that lasts until it is revoked';
  end if;
  insert into api_keys (name, hash, scopes, created_by, expires_at)
  values (create_api_key.name, create_api_key.hash,
    array(select distinct s from unnest(create_api_key.scopes) s order by s), create_api_key.actor, create_api_key.expires_at)
  on conflict (name) where revoked_at is null do nothing
  returning id into v_id;
  if v_id is null then
    raise exception using errcode = '22023', message = format('there is a key named %s already', quote_literal(create_api_key.name)),
      hint = 'revoke that one first, or choose another name';
  end if;
  insert into audit_events (action, actor, target, reason, after)
  values ('create_api_key', create_api_key.actor, 'api-keys/' || create_api_key.name, create_api_key.reason,
    jsonb_strip_nulls(jsonb_build_object('id', v_id, 'scopes', to_jsonb(create_api_key.scopes), 'expires_at', create_api_key.expires_at)));
  return v_id;
end $$;
comment on function create_api_key(text, bytea, text[], text, text, timestamptz) is
  'Makes a key of the admin API known by its SHA-256 hash; returns its id. One audit event. Raises 22023 for a name that a valid key has, for scopes that are none, and for an end that has passed.';

create function revoke_api_key(name text, actor text, reason text) returns boolean
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_key api_keys;
begin
  perform check_words(revoke_api_key.actor, revoke_api_key.reason);
  update api_keys k set revoked_at = clock_timestamp() where k.name = revoke_api_key.name and k.revoked_at is null returning k.* into v_key;
  if not found then return false; end if;
  insert into audit_events (action, actor, target, reason, before)
  values ('revoke_api_key', revoke_api_key.actor, 'api-keys/' || revoke_api_key.name, revoke_api_key.reason,
    jsonb_strip_nulls(jsonb_build_object('id', v_key.id, 'scopes', to_jsonb(v_key.scopes), 'expires_at', v_key.expires_at)));
  return true;
end $$;
comment on function revoke_api_key(text, text, text) is
  'Revokes a key of the admin API: from the commit on it opens nothing. Returns whether there was one; only then is an audit event written.';

create function use_api_key(hash bytea) returns table (id bigint, name text, scopes text[])
language plpgsql volatile security definer set search_path = {{schema}}, pg_temp as $$
#variable_conflict use_column
declare
  v_key api_keys;
begin
  select * from api_keys k where k.hash = use_api_key.hash and k.revoked_at is null
    and (k.expires_at is null or k.expires_at > clock_timestamp()) into v_key;
  if not found then return; end if;
  -- To the minute, so that a busy key is not a write per request.
  if v_key.last_used_at is null or v_key.last_used_at < clock_timestamp() - interval '1 minute' then
    update api_keys k set last_used_at = clock_timestamp() where k.id = v_key.id;
  end if;
  return query select v_key.id, v_key.name, v_key.scopes;
end $$;
comment on function use_api_key(bytea) is
  'What the key with this SHA-256 hash may do. No row: there is none, or it was revoked, or it has expired. Notes when it was used.';
